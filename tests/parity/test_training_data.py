# SPDX-License-Identifier: GPL-3.0-or-later
"""What networks are trained on and with: views, features and statistics as published, and the mesh decoder's losses."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.training.norld.features import gathered_from_views, voxel_of
from backend.training.norld.mesh_losses import (
    Compared,
    Weights,
    corners_of,
    distance_loss,
    geometry_terms,
    render,
    render_truth,
)
from backend.training.norld.statistics import statistics_of
from backend.training.norld.views import Camera, camera_at, on_sphere


@golden.each("features")
def test_views_and_features(path: Path) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    directions = on_sphere(facts["views"], facts["offset"])
    cameras = [camera_at(yaw, pitch, facts["radius"], facts["fov"]) for yaw, pitch in directions.tolist()]
    positions = fixture.input("positions")
    tokens = fixture.input("patchtokens")
    back = torch.stack([camera.extrinsics for camera in cameras]).inverse() * torch.tensor([1.0, -1.0, -1.0, 1.0])
    golden.assert_close(back, fixture.input("c2w"))
    ours = {
        "yaw_pitch": directions,
        "extrinsics": torch.stack([camera.extrinsics for camera in cameras]),
        "intrinsics": torch.stack([camera.intrinsics for camera in cameras]),
        "uv": torch.stack([2 * camera.projected(camera.seen(positions)) - 1 for camera in cameras]),
        "feats": gathered_from_views(positions, zip(cameras, tokens, strict=True)),
    }
    golden.assert_outputs_close(fixture, ours, needed=list(ours))
    assert torch.equal(voxel_of(positions), fixture.output("indices").int())


@golden.each("latent_stats")
def test_the_statistics_of_latents(path: Path) -> None:
    fixture = golden.read(path)
    found = statistics_of(fixture.input("feats").split(fixture.input("lengths").tolist()))
    golden.assert_close(torch.tensor(found.mean), fixture.output("mean"))
    golden.assert_close(torch.tensor(found.std), fixture.output("std"))


def mean_square(one: Tensor, other: Tensor) -> Tensor:
    """What stands in for the perceptual loss in the fixtures."""
    return (one - other).square().mean()


@golden.each("mesh_losses")
def test_the_mesh_decoders_losses(path: Path) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    resolution, size = facts["res"], facts["image"]
    objects: list[Compared] = []
    leaves: list[tuple[Tensor, Tensor]] = []
    for i in range(len(fixture.input("extrinsics"))):
        camera = Camera(fixture.input("extrinsics")[i], fixture.input("intrinsics")[i])
        corners = corners_of(fixture.input(f"coords{i}"), fixture.input(f"feats{i}"), resolution)
        golden.assert_close(corners.positions(resolution), fixture.output(f"tsdf_v{i}"))
        golden.assert_close(corners.distances, fixture.output(f"tsdf_s{i}"))
        assert 0 < corners.inconsistency < fixture.output(f"reg_loss{i}")
        vertices = fixture.output(f"vertices{i}").clone().requires_grad_()
        distances = corners.distances.detach().clone().requires_grad_()
        coloured = fixture.has_output(f"vertex_attrs{i}")
        attributes = fixture.output(f"vertex_attrs{i}") if coloured else None
        rendering = render(vertices, fixture.output(f"faces{i}"), camera, size, attributes)
        truth = render_truth(fixture.input(f"gt_vertices{i}"), fixture.input(f"gt_faces{i}"), camera, size)
        distance = distance_loss(corners.positions(resolution), distances, truth.depth, camera, resolution)
        image = fixture.input("image")[i] * fixture.input("alpha")[i] if fixture.has_input("image") else None
        normal_map = fixture.input("normal_map")[i] if fixture.has_input("normal_map") else None
        objects.append(Compared(rendering, truth, distance, normal_map, image))
        leaves.append((vertices, distances))
    pictures = {
        "mask": [one.rendering.mask for one in objects],
        "depth": [one.rendering.depth for one in objects],
        "normal": [one.rendering.normal for one in objects],
        "target_mask": [one.truth.mask for one in objects],
        "target_depth": [one.truth.depth for one in objects],
        "target_normal": [one.truth.normal for one in objects],
        "color": [one.rendering.attributes[:3] for one in objects if one.rendering.attributes is not None],
        "normal_map": [one.rendering.attributes[3:] for one in objects if one.rendering.attributes is not None],
    }
    stacked = {name: torch.stack(parts).detach() for name, parts in pictures.items() if parts}
    golden.assert_outputs_close(fixture, stacked, needed=["mask", "depth", "normal", "target_normal"], absolute=3e-5)
    smooth = facts["depth_loss_type"] == "smooth_l1"
    terms = geometry_terms(objects, resolution, Weights(**facts["lambda"]), mean_square, smooth=smooth)
    published = {name.removeprefix("term.") for name in fixture.outputs if name.startswith("term.")}
    assert published == {*terms, "loss", "reg_loss"}
    for name, value in terms.items():
        golden.assert_close(value.detach(), fixture.output(f"term.{name}"), relative=3e-5, absolute=1e-6)
    loss = terms["geo_loss"] + terms.get("color_loss", 0)
    whole = loss.detach() + fixture.output("term.reg_loss")
    golden.assert_close(whole, fixture.output("term.loss"), relative=3e-5, absolute=1e-6)
    loss.backward()
    for i, (vertices, distances) in enumerate(leaves):
        for leaf, name in ((vertices, f"grad_vertices{i}"), (distances, f"grad_tsdf_s{i}")):
            assert leaf.grad is not None
            golden.assert_close(leaf.grad, fixture.output(name), relative=2e-4, absolute=0)
