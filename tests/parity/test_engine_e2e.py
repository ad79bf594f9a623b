# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine itself, on the published code's networks in the published folders, gives the published code's mesh."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.parity import golden
from tests.parity.hub_layout import from_hub_layout

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.engines.hi3dgen import stages as hi3dgen_stages
from backend.engines.hi3dgen.cost import sampling_of
from backend.engines.hi3dgen.engine import hi3dgen
from backend.flow.products import Crop, Cutout, NormalMap, Picture
from backend.flow.settings import checked
from backend.models.presets import PRESETS, Preset
from backend.nn.sampler import Sampling
from backend.weights.catalogue import CONDITIONER, GEOMETRY
from tests.parity import test_condition, test_pipeline_e2e, test_structure

OFF = {"solid": False, "whole": False, "upright": False, "clean": False, "detail": 0.0, "reduce": False}
KINDS = {
    "sparse_structure_flow_model": "SparseStructureFlowModel",
    "sparse_structure_decoder": "SparseStructureDecoder",
    "slat_flow_model": "SLatFlowModel",
    "slat_decoder_mesh": "SLatMeshDecoder",
}
SQUARE = Cutout(np.full((64, 64, 4), 255, np.uint8), Crop(0, 0, 64, 64, 64))
MAP = NormalMap(np.full((64, 64, 3), (0, 0, 1), np.float32), np.ones((64, 64), np.float32))


def publish(fixture: golden.Fixture, folder: Path) -> None:
    """Writes the fixture's networks as the hub has the published ones."""
    geometry = folder / GEOMETRY.name
    stems = [file.removesuffix(".safetensors") for file in GEOMETRY.files if file.endswith(".safetensors")]
    for stem, (role, kind) in zip(stems, KINDS.items(), strict=True):
        config, weights = fixture.config[role], fixture.weights(f"{role}.")
        if role == "sparse_structure_flow_model":
            weights = {"pos_emb": test_structure.positions(config), **weights}
        write_json(geometry / f"{stem}.json", {"name": kind, "args": config})
        write_tensors(geometry / f"{stem}.safetensors", weights)
    arguments = {
        "models": dict(zip(KINDS, stems, strict=True)),
        "slat_normalization": fixture.facts["slat_normalization"],
    }
    write_json(geometry / "pipeline.json", {"name": "TrellisImageTo3DPipeline", "args": arguments})
    conditioner = folder / CONDITIONER.name
    write_json(conditioner / "config.json", test_condition.described(fixture.config["image_cond_model"]).to_dict())
    write_tensors(conditioner / "model.safetensors", from_hub_layout(fixture.weights("image_cond_model.")))


def write_json(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document), encoding="utf-8")


def write_tensors(path: Path, tensors: dict[str, Tensor]) -> None:
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, path)


def preset_of(fixture: golden.Fixture) -> Preset:
    """How the fixture samples, as a preset of the engine."""
    structure = test_pipeline_e2e.sampling_of(fixture, "sparse_structure_sampler_params")
    return Preset(structure, test_pipeline_e2e.sampling_of(fixture, "slat_sampler_params"))


def test_by_default_the_engine_samples_as_the_published_demo() -> None:
    settings = checked("Hi3DGen", hi3dgen().settings, {})
    preset = PRESETS[settings["quality"]]
    structure = sampling_of(preset.structure, settings["structure_steps"], settings["structure_guidance"])
    latents = sampling_of(preset.latents, settings["latent_steps"], settings["latent_guidance"])
    assert structure == Sampling(steps=50, guidance=3.0, interval=(0.5, 1.0), rescale_t=3.0, every=1)
    assert latents == Sampling(steps=6, guidance=3.0, interval=(0.5, 1.0), rescale_t=3.0, every=1)


@golden.each("pipeline_e2e", with_weights=True)
@pytest.mark.parametrize("others", [(), (7,)], ids=["alone", "with another seed"])
def test_the_stages_with_every_switch_off_give_the_published_mesh(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: tuple[int, ...]
) -> None:
    fixture = golden.read(path)
    publish(fixture, tmp_path)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")

    # The fixture begins at the picture that upstream makes of the normal map; test_normals ends with it.
    def picture(_: NormalMap) -> Picture:
        return fixture.input("rgb").numpy()

    monkeypatch.setattr(hi3dgen_stages, "to_picture", picture)
    engine = hi3dgen()
    settings = checked("Hi3DGen", engine.settings, OFF)
    preset = preset_of(fixture)
    monkeypatch.setattr(hi3dgen_stages, "PRESETS", {settings["quality"]: preset})
    settings |= {"structure_guidance": preset.structure.guidance, "latent_guidance": preset.latents.guidance}
    stages = {stage.name: stage for stage in engine.stages}
    seeds = [fixture.facts["seed"], *others]

    def run(name: str, *taken: Any, **more: Any) -> list[Any]:
        stage = stages[name]
        assert stage.run_many is not None
        used = {setting: settings[setting] for setting in stage.uses if setting != "seed"}
        return stage.run_many(*taken, **used, **more, report=golden.no_report)

    tokens = stages["tokens"].run(MAP, precision="auto", report=golden.no_report)
    golden.assert_outputs_close(fixture, {"cond": torch.from_numpy(tokens)[0]}, needed=["cond"])

    seen = [tokens] * len(seeds)
    structures = run("structure", seen, seeds=seeds)
    assert np.array_equal(structures[0].coords, fixture.output("coords")[:, 1:].numpy())

    latents = run("latents", seen, structures)
    golden.assert_close(torch.from_numpy(latents[0].values), fixture.output("slat"))

    mesh = run("geometry", latents, [SQUARE] * len(seeds), [MAP] * len(seeds))[0]
    assert (len(mesh.vertices), len(mesh.triangles)) == (fixture.facts["n_vertices"], fixture.facts["n_faces"])
    test_pipeline_e2e.assert_vertices(mesh.vertices, fixture)

    finished = mesh
    for name in ("clean", "reduce", "place"):
        used = {setting: settings[setting] for setting in stages[name].uses}
        finished = stages[name].run(finished, **used, report=golden.no_report)
    assert finished.triangles.shape == mesh.triangles.shape
    longest = np.ptp(mesh.vertices, axis=0).max()
    moved = mesh.vertices / longest
    np.testing.assert_allclose(finished.vertices - finished.vertices[0], moved - moved[0], atol=1e-5)
