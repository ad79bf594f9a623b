# SPDX-License-Identifier: GPL-3.0-or-later
"""From the picture of the normals to the mesh, all networks after each other: a seed means what it means upstream."""

from pathlib import Path

import numpy as np
import pytest

from tests.parity import golden, meshes

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.arrays import Float32Array
from backend.engines.hi3dgen.pictures import to_pixels
from backend.models.image_tokens import image_tokens
from backend.models.latent_flow import Normalization, latent_noise, sample_latents
from backend.models.structure_decoder import occupied
from backend.models.structure_flow import sample_structure, structure_noise
from backend.nn.sampler import Sampling
from backend.nn.sparse import Voxels
from backend.surface.surface import extract_surface
from tests.parity import test_condition, test_latents, test_structure


def sampling_of(fixture: golden.Fixture, params: str) -> Sampling:
    settings = {**fixture.facts["sampler_defaults"], **fixture.facts[params]}
    return Sampling(settings["steps"], settings["cfg_strength"], tuple(settings["cfg_interval"]), settings["rescale_t"])


def assert_vertices(vertices: Float32Array, fixture: golden.Fixture) -> None:
    """The fixture's first vertices are among `vertices` (V, 3), whose mean and box are the fixture's."""
    (first,) = (name for name in fixture.outputs if name.startswith("vertices_first"))
    meshes.matched(fixture.output(first).numpy(), vertices, 2e-5)
    np.testing.assert_allclose(vertices.mean(0, np.float64), fixture.output("vertices_mean"), atol=1e-5)
    np.testing.assert_allclose(vertices.min(0), fixture.output("vertices_min"), atol=1e-5)
    np.testing.assert_allclose(vertices.max(0), fixture.output("vertices_max"), atol=1e-5)


@golden.each("pipeline_e2e", with_weights=True)
@torch.inference_mode()
def test_from_the_picture_of_the_normals_to_the_mesh(path: Path) -> None:
    fixture = golden.read(path)
    config = fixture.config
    generator = torch.Generator().manual_seed(fixture.facts["seed"])

    tokenizer = test_condition.tokenizer_of(config["image_cond_model"], fixture.weights("image_cond_model."))
    tokens = image_tokens(tokenizer, to_pixels(fixture.input("rgb").numpy()))
    golden.assert_outputs_close(fixture, {"cond": tokens[0]}, needed=["cond"])

    settings = config["sparse_structure_flow_model"]
    structure_flow = test_structure.flow_of(settings, fixture.weights("sparse_structure_flow_model."))
    noise = structure_noise(structure_flow.config, [generator])
    assert torch.equal(noise, fixture.input("noise_ss"))
    sampling = sampling_of(fixture, "sparse_structure_sampler_params")
    z = sample_structure(structure_flow, tokens, noise, golden.no_report, sampling)
    golden.assert_close(z, fixture.output("z_s"))

    settings = config["sparse_structure_decoder"]
    logits = test_structure.decoder_of(settings, fixture.weights("sparse_structure_decoder."))(z)
    golden.assert_close(logits, fixture.output("logits"))
    voxels = Voxels(occupied(logits))
    assert torch.equal(voxels.coords, fixture.output("coords"))

    latent_flow = test_latents.flow_of(config["slat_flow_model"], fixture.weights("slat_flow_model."))
    noise = latent_noise(latent_flow.config, voxels, [generator])
    assert torch.equal(noise, fixture.input("noise_slat"))
    latents = sample_latents(
        latent_flow,
        tokens,
        voxels,
        noise,
        normalization=Normalization(**fixture.facts["slat_normalization"]),
        report=golden.no_report,
        sampling=sampling_of(fixture, "slat_sampler_params"),
    )
    golden.assert_close(latents, fixture.output("slat"))

    decoder = test_latents.decoder_of(config["slat_decoder_mesh"], fixture.weights("slat_decoder_mesh."))
    features, fine = decoder(latents, voxels)
    resolution = config["slat_decoder_mesh"]["resolution"] * test_latents.SUBDIVISION
    surface = extract_surface(fine.coords[:, 1:], features, resolution)
    vertices, triangles = surface.vertices.numpy(), surface.triangles.numpy()
    assert (len(vertices), len(triangles)) == (fixture.facts["n_vertices"], fixture.facts["n_faces"])
    assert_vertices(vertices, fixture)
    first, second, third = vertices[triangles].astype(np.float64).swapaxes(0, 1)
    crosses = np.cross(second - first, third - first)
    area = np.linalg.norm(crosses, axis=1).sum() / 2
    volume = crosses[:, 0] @ (first + second + third)[:, 0] / 6  # of the flow along x: an open surface has others too
    np.testing.assert_allclose([area, volume], fixture.output("area_volume"), rtol=1e-5)
