# SPDX-License-Identifier: GPL-3.0-or-later
"""A mesh becomes voxels, views and maps of its normals."""

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")

import torch
import transformers
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import Tensor

from backend.__main__ import main
from backend.models.image_tokens import published_forms
from backend.models.latent_encoder import LatentEncoder, LatentEncoderConfig
from backend.models.structure_encoder import StructureEncoder, StructureEncoderConfig
from backend.surface.surface import extract_surface
from backend.training.norld.conditions import condition_cameras, normal_picture
from backend.training.norld.export import write_network
from backend.training.norld.objects import objects_of
from backend.training.norld.preparation import encoded_latents, prepared
from backend.training.norld.views import camera_at
from backend.training.norld.voxelise import normalised, touched_voxels

CUBE = torch.tensor([[x, y, z] for x in (-0.3, 0.3) for y in (-0.3, 0.3) for z in (-0.3, 0.3)])
SIDES = torch.tensor(
    [
        *([0, 1, 3], [0, 3, 2], [4, 6, 7], [4, 7, 5], [0, 4, 5], [0, 5, 1]),
        *([2, 3, 7], [2, 7, 6], [0, 2, 6], [0, 6, 4], [1, 5, 7], [1, 7, 3]),
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(10, 5000))
def test_the_voxels_are_those_that_the_triangles_points_lie_in(seed: int, pairs: int) -> None:
    """Points of a triangle show that it touches a voxel; a touched one is within half a diagonal of its plane."""
    generator = torch.Generator().manual_seed(seed)
    vertices = torch.rand(9, 3, generator=generator, dtype=torch.float64) - 0.5
    triangles = torch.arange(9).view(3, 3)
    found = touched_voxels(vertices, triangles, 8, pairs)
    shares = -torch.rand(3000, 3, generator=generator, dtype=torch.float64).log()
    shares /= shares.sum(1, keepdim=True)
    points = torch.einsum("pk,tkc->tpc", shares, vertices[triangles]).flatten(0, 1)
    sampled = ((points + 0.5) * 8).floor().int().unique(dim=0)
    keys, wanted = (voxels.long() @ torch.tensor([64, 8, 1]) for voxels in (found, sampled))
    assert set(wanted.tolist()) <= set(keys.tolist())
    centres = (found + 0.5) / 8 - 0.5
    assert torch.cdist(centres.double(), points).amin(1).max() < math.sqrt(3) / 16 + 0.03


def test_a_large_triangle_off_the_axes_does_not_fill_its_box() -> None:
    corner = torch.tensor([[0.49, -0.49, -0.49], [-0.49, 0.49, -0.49], [-0.49, -0.49, 0.49]])
    found = touched_voxels(corner, torch.tensor([[0, 1, 2]]), 16)
    sums = found.sum(1)  # its plane is x + y + z = -0.49: about 16 voxels in sum
    assert sums.min() >= 13
    assert sums.max() <= 17
    assert len(found) < 16**3 / 8


def test_condition_cameras_hold_the_cube() -> None:
    corners = torch.tensor([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    fields: list[float] = []
    for camera in condition_cameras(24, np.random.default_rng(1)):
        places = camera.projected(camera.seen(corners))
        assert places.min() > -1e-5
        assert places.max() < 1 + 1e-5
        fields.append(math.degrees(2 * math.atan(0.5 / camera.intrinsics[0, 0].item())))
    assert 10 <= min(fields) < 30
    assert 50 < max(fields) <= 70


def test_a_picture_of_normals_has_x_to_the_left_and_a_white_ground() -> None:
    front = camera_at(-math.pi / 2, 0.0)  # from -y, x to the right
    picture = normal_picture(CUBE, SIDES, front, 60, 200)
    assert picture[:, 0, 0].tolist() == [1, 1, 1]
    torch.testing.assert_close(picture[:, 30, 30], torch.tensor([0.5, 0.5, 1.0]), atol=0.01, rtol=0)
    seen = (picture < 0.9).any(0)
    assert 60 / 1.2 - 3 <= seen.any(0).sum() <= 60 / 1.2 + 3
    slanted = camera_at(-math.pi / 2 + 0.6, 0.5)
    picture = normal_picture(CUBE, SIDES, slanted, 60, 200)
    colours = 2 * picture.flatten(1).T - 1
    # The camera stands right of the front, so the front faces to its left, where red is high; the top faces up.
    assert ((colours[:, 0] - math.sin(0.6)).abs() < 0.03).any()
    assert ((colours[:, 0].abs() < 0.03) & ((colours[:, 1] - math.cos(0.5)).abs() < 0.03)).any()
    assert normal_picture(CUBE, SIDES[:0], front, 20, 40).min() == 1


def test_a_prepared_mesh_is_an_object_to_learn_from(tmp_path: Path) -> None:
    torch.manual_seed(1)
    every = torch.cartesian_prod(*[torch.arange(16)] * 3).int()
    corners = torch.tensor([[c & 1, c >> 1 & 1, c >> 2] for c in range(8)])
    features = torch.zeros(len(every), 53)
    features[:, :8] = ((every[:, None] + corners) / 16 - 0.5).norm(dim=2) - 0.3 + 1 / 16
    ball = extract_surface(every, features, 16)
    encoder = StructureEncoder(StructureEncoderConfig(1, 3, 1, (4, 6)))

    def tokens(pixels: Tensor) -> Tensor:
        return pixels.unfold(2, 4, 4).unfold(3, 4, 4).mean((4, 5)).flatten(2).transpose(1, 2)

    made = prepared(
        7 * ball.vertices + 3, ball.triangles, encoder, tokens, np.random.default_rng(2), 2, resolution=8, side=16
    )
    assert made["structure"].shape == (3, 4, 4, 4)
    torch.testing.assert_close(made["vertices"], normalised(ball.vertices), atol=1e-5, rtol=0)
    distance = ((made["coords"].float() + 0.5) / 8 - 0.5).norm(dim=1)
    assert (distance - 0.5).abs().max() < math.sqrt(3) / 16 + 0.01
    latents = LatentEncoder(LatentEncoderConfig(8, 5, 8, 3, 1, 2, mlp_ratio=1, window_size=4))
    torch.nn.init.normal_(latents.out_layer.weight)
    made["latents"] = encoded_latents(latents, torch.randn(len(made["coords"]), 5), made["coords"])
    save_file(made, tmp_path / "ball.safetensors")
    item = objects_of(tmp_path, 3, 3, dense=True).read("ball", 0.9, placed=True)
    assert item is not None
    assert item.placed is not None
    assert item.placed.target(item.view, 16).truth.mask.sum() > 20


def networks(folder: Path) -> list[str]:
    """An encoder and a tokenizer of the published forms, as small as the tiny flow model wants them, as options."""
    torch.manual_seed(3)
    sizes = StructureEncoderConfig(1, 3, 1, (2, 2, 2, 2, 2), num_res_blocks_middle=1)
    write_network(folder / "encoder", "SparseStructureEncoder", sizes, StructureEncoder(sizes))
    config = transformers.Dinov2WithRegistersConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, mlp_ratio=1, image_size=518, patch_size=14
    )
    config.save_pretrained(folder)
    tensors = {name: torch.randn(form.shape) for name, form in published_forms(config).items()}
    save_file(tensors, folder / "model.safetensors")
    return ["--encoder", str(folder / "encoder"), "--tokenizer", str(folder)]


def test_meshes_become_objects_that_a_training_learns_from(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    objects = tmp_path / "objects"
    objects.mkdir()
    files = [tmp_path / f"box-{number}.ply" for number in range(3)]
    for number, file in enumerate(files):
        trimesh.Trimesh(CUBE.numpy() * (1, 1, 1 + number), SIDES.numpy()).export(file)
    prepare = ["train", "prepare-objects", "--objects", str(objects), "--views", "1", *networks(tmp_path)]
    point = tmp_path / "point.ply"
    trimesh.Trimesh(np.zeros((3, 3)), [[0, 1, 2]], process=False).export(point)
    needle = tmp_path / "needle.ply"
    trimesh.Trimesh([[0, 0, 0], [0.3, 0.1, 0.7], [0.6, 0.2, 1.4]], [[0, 1, 2]], process=False).export(needle)
    assert main([*prepare, str(point), str(needle), *map(str, files)]) == 1
    printed = capsys.readouterr()
    assert "5 objects: 3 made, 0 unchanged, 2 failed." in printed.out
    assert "point: “point.ply” has no surface." in printed.err
    assert "needle: “needle.ply” has no surface." in printed.err
    made = [objects / f"box-{number}.safetensors" for number in range(3)]
    assert sorted(objects.glob("*.safetensors")) == made
    first = [path.read_bytes() for path in made]
    made[1].unlink()
    files[0].unlink()  # has its object, so that it is not read again
    assert main([*prepare, *map(str, files)]) == 0
    assert [path.read_bytes() for path in made] == first
    train = ["train", "structure-flow", "--config", "tiny", "--objects", str(objects), "--steps", "1"]
    assert main([*train, "--folder", str(tmp_path / "run")]) == 0
    assert main([*prepare, "a/box.ply", "b/box.ply"]) == 1
    assert "the same name" in capsys.readouterr().err
    assert main([*prepare, "box.obj"]) == 1
    assert "is not there for the process that was to read it" in capsys.readouterr().err
    (tmp_path / "encoder.json").unlink()
    assert main([*prepare, str(files[1]), str(point)]) == 1
    assert "encoder.json is not there. Check --encoder" in capsys.readouterr().err
