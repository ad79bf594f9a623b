# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole hi3dgen engine on tiny random networks in the published layout: from the picture to the mesh."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from make_tiny_weights import make
from torch.utils._python_dispatch import TorchDispatchMode

from backend.engines.hi3dgen.engine import hi3dgen
from backend.errors import Cancelled
from backend.flow.pipeline import Pipeline
from backend.flow.products import Mesh
from backend.foreground.mask import mask_of
from backend.mesh import check
from backend.nn.memory_plan import PLANS
from backend.normals.image import to_picture
from backend.weights import store
from backend.weights.catalogue import FOREGROUND, GEOMETRY, PACKAGES
from tests.backend.engines.hi3dgen.tiny_engine import Watcher, cutout_of, disc, mesh_of, request, run, same

pytestmark = pytest.mark.usefixtures("weights")
BEHIND = ["clean", "detail", "reduce", "stand", "place", "colour", "unseen", "normal_texture", "project"]


@pytest.fixture(scope="module")
def first(tiny_weights: Path) -> Mesh:
    """The mesh of seed 1, by a pipeline that is gone: what is made again is compared with it."""
    engine = hi3dgen()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HI3DGEN_WEIGHTS", str(tiny_weights))
        patch.setenv("HI3DGEN_DEVICE", "cpu")
        outcome, _ = run(Pipeline({"hi3dgen": engine}), 1)
    engine.unload()
    return mesh_of(outcome)


def test_a_picture_becomes_a_solid_coloured_mesh(pipeline: Pipeline) -> None:
    outcome, _ = run(pipeline, 1, colours="1024")
    mesh = mesh_of(outcome)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    assert check.is_closed(mesh.triangles)
    assert check.signed_volume(mesh.vertices, mesh.triangles) > 0
    assert np.ptp(mesh.vertices, axis=0).max() == pytest.approx(1)
    assert mesh.colours is not None
    assert mesh.normals is not None
    assert mesh.colours.shape == mesh.normals.shape == mesh.vertices.shape
    np.testing.assert_allclose(np.linalg.norm(mesh.normals, axis=1), 1, atol=1e-4)
    assert outcome.products["normal_map"].normals.shape == (768, 768, 3)
    assert outcome.recipe["settings"]["quality"] == "preview"


class IntegerProducts(TorchDispatchMode):
    """Notes the products of matrices of integers, which a processor has and CUDA has not."""

    def __init__(self) -> None:
        super().__init__()
        self.products = 0
        self.found: set[str] = set()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = str(func).split(".")[1]
        if name in {"matmul", "mm", "mv", "bmm", "dot", "addmm", "addmv", "baddbmm"}:
            self.products += 1
            if not args[-1].is_floating_point():
                self.found.add(name)
        return func(*args, **(kwargs or {}))


def test_a_gpu_has_every_product_that_the_networks_need(pipeline: Pipeline) -> None:
    pipeline.unload()  # so that every stage runs
    with IntegerProducts() as watched:
        assert (torch.arange(4).view(2, 2) @ torch.arange(2)).tolist() == [1, 3]
        assert watched.found == {"mv"}
        watched.found.clear()
        run(pipeline, 1)
    assert watched.products > 1
    assert watched.found == set()


def test_a_change_starts_at_the_first_stage_that_uses_it(pipeline: Pipeline) -> None:
    run(pipeline, 1)
    assert run(pipeline, 1)[1] == []
    assert run(pipeline, 1, faces=2000)[1] == BEHIND[2:]
    assert run(pipeline, 1, detail=0.5)[1] == BEHIND[1:]
    assert run(pipeline, 1, solid=False)[1] == ["geometry", *BEHIND]
    assert run(pipeline, 1, latent_guidance=1.0)[1] == ["latents", "geometry", *BEHIND]
    assert run(pipeline, 2)[1] == ["structure", "latents", "geometry", *BEHIND]


def test_a_seed_gives_its_mesh_again(pipeline: Pipeline, first: Mesh) -> None:
    pipeline.unload()
    again, ran = run(pipeline, 1)
    assert "normals" in ran
    assert same(first, mesh_of(again))
    assert not same(first, mesh_of(run(pipeline, 4)[0]))


def test_seeds_that_go_together_give_what_they_give_alone(pipeline: Pipeline) -> None:
    stages = {stage.name: stage for stage in hi3dgen().stages}
    outcome, _ = run(pipeline, 5)
    tokens = torch.randn(1, 1374, 24, generator=torch.Generator().manual_seed(0)).numpy()
    shape = {"quality": "preview", "structure_steps": 2, "structure_guidance": 3.0, "precision": "auto"}
    steps: list[tuple[int, int]] = []

    def report(step: int, of: int) -> None:
        steps.append((step, of))

    many = stages["structure"].run_many
    assert many is not None
    seeds = [5, 6, 7, 8, 9]
    together = many([tokens] * 5, seeds=seeds, **shape, report=report)
    assert steps[-1][0] == steps[-1][1]
    assert all(before[0] * after[1] <= after[0] * before[1] for before, after in pairwise(steps))
    alone = [stages["structure"].run(tokens, seed=seed, **shape, report=report) for seed in seeds]
    for one, other in zip(together, alone, strict=True):
        assert np.array_equal(one.coords, other.coords)
        assert np.array_equal(one.randomness, other.randomness)

    detail = {"quality": "preview", "latent_steps": 2, "latent_guidance": 3.0, "steady_noise": False}
    details = stages["latents"].run_many
    assert details is not None
    both = details([tokens] * 2, together[:2], **detail, precision="auto", report=report)
    for latents, structure in zip(both, together[:2], strict=True):
        single = stages["latents"].run(tokens, structure, **detail, precision="auto", report=report)
        np.testing.assert_allclose(latents.values, single.values, atol=3e-5)

    surfaces = stages["geometry"].run_many
    assert surfaces is not None
    maps = [outcome.products["normal_map"]] * 2
    meshes = surfaces(both, [cutout_of(pipeline, 5)] * 2, maps, solid=True, whole=True, precision="auto", report=report)
    assert len(meshes) == 2
    assert not same(*meshes)


def test_the_artists_own_normal_map_takes_the_estimates_place(pipeline: Pipeline, first: Mesh) -> None:
    cutout_of(pipeline, 1)
    own = np.full((200, 200, 4), 255, np.uint8)
    own[..., :3] = (128, 128, 255)
    outcome, ran = run(pipeline, 1, own)
    read = [*BEHIND[:5], "tones", *BEHIND[5:]]
    assert ran == ["own_normals", "tokens", "structure", "latents", "geometry", *read]
    assert not same(mesh_of(outcome), first)
    pictured = to_picture(outcome.products["normal_map"])
    assert tuple(pictured[100, 100]) == (128, 128, 255)


def test_upstreams_preprocessing_and_steady_noise_change_the_result(pipeline: Pipeline, first: Mesh) -> None:
    upstream, ran = run(pipeline, 1, upstream_preprocessing=True)
    assert ran[0] == "foreground"
    assert not same(first, mesh_of(upstream))
    steady, ran = run(pipeline, 1, upstream_preprocessing=True, steady_noise=True)
    assert ran[0] == "latents"
    assert not same(mesh_of(upstream), mesh_of(steady))


@pytest.mark.parametrize("precision", [pytest.param("float16", marks=pytest.mark.slow), "bfloat16"])
def test_half_precision_gives_nearly_the_same_voxels(pipeline: Pipeline, precision: str) -> None:
    found: list[set[tuple[int, ...]]] = []
    for each in ("float32", precision):
        watcher = Watcher(cancel_in="latents")
        with pytest.raises(Cancelled):
            list(pipeline.run(request(1, precision=each), watcher))
        found.append({tuple(voxel) for voxel in watcher.products["structure"].coords})
    single, half = found
    assert len(single & half) / len(single | half) > 0.9


def test_an_opaque_picture_is_cut_out_by_the_network_or_else_by_its_background(
    pipeline: Pipeline, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opaque = disc()
    opaque[opaque[..., 3] == 0] = 255
    with_network = cutout_of(pipeline, 1, picture=opaque)
    shutil.copytree(tiny_weights, tmp_path / "weights", ignore=shutil.ignore_patterns(FOREGROUND.name))
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "weights"))
    without = cutout_of(pipeline, 1, picture=opaque)
    assert without.alpha.mean() == pytest.approx(np.pi / 4 / 1.2**2, abs=0.02)
    assert not np.array_equal(without.alpha, with_network.alpha)
    shutil.copytree(tiny_weights / FOREGROUND.name, tmp_path / "weights" / FOREGROUND.name)
    assert np.array_equal(cutout_of(pipeline, 1, picture=opaque).alpha, with_network.alpha), "copied there meanwhile"


@pytest.mark.parametrize("upstream", [False, True])
def test_strokes_correct_the_cut_out_and_the_network_looks_once(pipeline: Pipeline, *, upstream: bool) -> None:
    opaque = np.full((200, 200, 4), (255, 255, 250 - upstream, 255), np.uint8)
    opaque[60:140, 20:80] = (200, 40, 30, 255)
    opaque[60:140, 120:180] = (30, 60, 200, 255)
    strokes = np.zeros((200, 200, 4), np.uint8)
    strokes[95:105, 25:75] = 255
    strokes[95:105, 125:175] = strokes[10:190, 95:105] = strokes[10:30] = strokes[170:190] = (0, 0, 0, 255)
    more = strokes.copy()
    more[10:40] = (0, 0, 0, 255)
    mask = np.zeros((200, 200), np.bool_)
    ran: list[list[str]] = []
    for each in (strokes, more):
        watcher = Watcher()
        asked = request(3, picture=opaque, upstream_preprocessing=upstream)
        asked = replace(asked, inputs={**asked.inputs, "strokes": each})
        (outcome,) = pipeline.run(asked, watcher, gives=["cutout"])
        ran.append(watcher.ran)
        mask = mask_of(outcome.products["cutout"]) > 127
    assert ran == [["found", "marked"], ["marked"]]
    assert mask[70:130, 30:70].all()
    assert not mask[70:130, 130:170].any()


def test_a_job_can_be_cancelled_in_every_stage_and_the_next_one_goes_on(pipeline: Pipeline, first: Mesh) -> None:
    pipeline.unload()
    stages = ["normals", "tokens", "structure", "latents", "geometry"]
    for number, stage in enumerate(stages):
        watcher = Watcher(cancel_in=stage)
        with pytest.raises(Cancelled):
            list(pipeline.run(request(1), watcher))
        assert watcher.ran == (["foreground", stage] if not number else [stages[number - 1], stage])
    assert same(mesh_of(run(pipeline, 1)[0]), first)


def test_memory_that_runs_out_is_noted(pipeline: Pipeline, first: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.engines.hi3dgen import stages as hi3dgen_stages

    failed: list[str] = []

    def failing_once(function: str) -> Callable[..., Any]:
        works = getattr(hi3dgen_stages, function)

        def fails_once(*arguments: Any, **more: Any) -> Any:
            if function not in failed:
                failed.append(function)
                raise torch.OutOfMemoryError("CUDA out of memory")
            return works(*arguments, **more)

        return fails_once

    pipeline.unload()
    for function in ("estimate", "decode_surfaces"):
        monkeypatch.setattr(hi3dgen_stages, function, failing_once(function))
    outcome, _ = run(pipeline, 1)
    assert failed == ["estimate", "decode_surfaces"]
    assert [note for note in outcome.notes if "Memory ran out" in note] != []
    assert same(mesh_of(outcome), first)


def test_small_pieces_change_nothing(pipeline: Pipeline, first: Mesh, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.nn import memory_plan

    small = PLANS[2]

    def choose(*_: object, **__: object) -> Any:
        return small

    monkeypatch.setattr(memory_plan, "choose_plan", choose)
    pipeline.unload()
    pieces, ran = run(pipeline, 1)
    assert "normals" in ran
    assert same(first, mesh_of(pieces))


def test_other_weights_on_the_disk_are_used_by_the_next_job(
    tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The recipe names the revisions that are on the disk, so networks of others must not be used."""
    folder = tmp_path / "weights"
    shutil.copytree(tiny_weights, folder)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(folder))
    found = {GEOMETRY.name: "one"}

    def revisions(*_: object) -> dict[str, str]:  # these weights were not downloaded: nothing records them
        return dict(found)

    monkeypatch.setattr(store, "revisions", revisions)
    engine = hi3dgen()
    pipeline = Pipeline({"hi3dgen": engine}, cache_bytes=0)
    first, _ = run(pipeline, 1)
    make(tmp_path / "new", seed=2)
    shutil.rmtree(folder)
    (tmp_path / "new").rename(folder)
    found[GEOMETRY.name] = "two"
    again, _ = run(pipeline, 1)
    assert (first.recipe["versions"], again.recipe["versions"]) == ({GEOMETRY.name: "one"}, {GEOMETRY.name: "two"})
    assert not same(mesh_of(first), mesh_of(again))
    engine.unload()


def test_every_package_of_the_catalogue_is_made(tiny_weights: Path) -> None:
    for package in PACKAGES:
        assert [file for file in package.files if not (tiny_weights / package.name / file).is_file()] == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_runs_leave_no_memory_behind(pipeline: Pipeline) -> None:
    psutil = pytest.importorskip("psutil", reason="psutil is not installed here")
    process = psutil.Process()
    taken: list[int] = []
    for seed in range(7):
        list(pipeline.run(request(seed), Watcher()))
        pipeline.unload()
        taken.append(process.memory_info().rss >> 20)
    assert max(taken[5:]) < max(taken[2:5]) + 40, taken


@pytest.mark.slow
def test_more_pictures_change_the_mesh_and_run_what_depends_on_them_alone(pipeline: Pipeline) -> None:
    plain, _ = run(pipeline, 1)
    watcher, asked = Watcher(), request(1)
    behind = replace(asked, inputs={**asked.inputs, "back": disc()[:, :150].copy()})
    (outcome,) = pipeline.run(behind, watcher)
    at = BEHIND.index("unseen") + 1
    own = ["back_cutout", "back_normal_map", "back_tokens", "structure", "latents", "geometry"]
    assert watcher.ran == [*own, *BEHIND[:at], "sides", *BEHIND[at:]]
    assert not same(mesh_of(outcome), mesh_of(plain))
    assert run(pipeline, 1)[1] == []
