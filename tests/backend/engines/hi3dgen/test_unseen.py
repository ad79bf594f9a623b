# SPDX-License-Identifier: GPL-3.0-or-later
"""Sides that the picture does not show, drawn or filled as the artist chooses, by the engine on tiny networks."""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

from backend.arrays import UInt8Array
from backend.engines.hi3dgen import unseen
from backend.engines.hi3dgen.engine import hi3dgen, versions
from backend.errors import Cancelled, UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Cutout, Mesh, Noted
from backend.guided.complete import Settings
from backend.guided.recipe import Recipe
from backend.guided.refine import Refinement
from backend.guided.unseen import MISSING
from backend.nn.memory_plan import Network, NetworkPool
from backend.texture.paint import paint
from backend.weights.catalogue import GUIDED, PACKAGES
from tests.backend.engines.hi3dgen.tiny_engine import Watcher, mesh_of, request, run
from tests.backend.texture.test_paint import ignore, made

RECIPE = Recipe(steps=4, stop=2, first_injected=1, first_layer=3)  # of the tiny UNet's four layers the last
ASKED = {"colours": "1024", "unseen": "drawn", "precision": "float32", "seed": 1}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One small view, in few steps."""
    monkeypatch.setattr(unseen, "Settings", lambda: Settings(RECIPE, views=1, size=64))
    monkeypatch.setattr(
        unseen, "Refinement", lambda: Refinement(replace(RECIPE, symmetric=True), iterations=2, fresh=2, size=64)
    )


@pytest.fixture
def without(tiny_weights: Path, tmp_path: Path, weights: None, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with all weights but those that draw views."""
    for folder in tiny_weights.iterdir():
        if folder.name != GUIDED.name:
            (tmp_path / folder.name).symlink_to(folder, target_is_directory=True)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def painted() -> tuple[Mesh, Cutout]:
    """A ball in the colours of a portrait."""
    mesh, cutout, normal_map = made()
    return paint(mesh, cutout, normal_map, cutout.rgba, most=256, report=ignore), cutout


def image_of(mesh: Mesh | Noted) -> UInt8Array:
    assert isinstance(mesh, Mesh)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    return mesh.texture.base_colour


def draw(painted: tuple[Mesh, Cutout], own: NetworkPool | None = None, **changes: Any) -> Mesh | Noted:
    settings: dict[str, Any] = {**ASKED, "report": ignore, **changes}
    return unseen.draw(*painted, own or NetworkPool({}), **settings)


@pytest.mark.usefixtures("weights")
@pytest.mark.slow
def test_the_engine_draws_them_between_the_colours_and_the_normal_texture(pipeline: Pipeline) -> None:
    filled, ran = run(pipeline, 1, colours="1024")
    behind = ran[ran.index("unseen") :]
    assert behind == ["unseen", "normal_texture", "project"]
    drawn, ran = run(pipeline, 1, colours="1024", unseen="drawn")
    assert ran == behind
    assert drawn.notes == filled.notes
    assert (image_of(mesh_of(drawn)) != image_of(mesh_of(filled))).any(axis=2).mean() > 0.05
    assert drawn.recipe["settings"]["unseen"] == "drawn"
    assert run(pipeline, 1, colours="1024", unseen="drawn", normal_texture="always")[1] == behind[1:]
    with pytest.raises(Cancelled):
        list(pipeline.run(request(1, colours="1024", unseen="refined"), Watcher(cancel_in="unseen")))


@pytest.mark.usefixtures("without")
def test_without_the_weights_the_colours_stay_filled_and_a_note_says_what_to_do(painted: tuple[Mesh, Cutout]) -> None:
    assert draw(painted) == Noted(painted[0], (MISSING,))
    assert GUIDED.name in MISSING


def test_the_weights_are_part_of_the_recipe_if_they_are_here(tiny_weights: Path, without: Path) -> None:
    assert GUIDED.name not in versions()
    shutil.copytree(tiny_weights / GUIDED.name, without / GUIDED.name)
    assert set(versions()) == {package.name for package in (*PACKAGES, GUIDED)}, "and of no other engine's"
    assert hi3dgen().versions() == versions()


@pytest.mark.usefixtures("weights")
def test_a_refinement_changes_them_again_and_follows_its_seed(painted: tuple[Mesh, Cutout]) -> None:
    drawn, other = (image_of(draw(painted, seed=seed)) for seed in (1, 2))
    np.testing.assert_array_equal(drawn, other)
    refined = [image_of(draw(painted, unseen="refined", seed=seed)) for seed in (1, 2)]
    assert (refined[0] != drawn).any()
    assert (refined[0] != refined[1]).any()


@pytest.mark.usefixtures("weights")
def test_a_mesh_without_colours_all_round_stays_and_a_note_says_why(painted: tuple[Mesh, Cutout]) -> None:
    plain = replace(painted[0], texture=None)
    mirrored = draw((plain, painted[1]), colours="front")
    assert isinstance(mirrored, Noted)
    assert mirrored.product is plain
    assert mirrored.notes[0].endswith("Choose All Round under Colours.")
    assert draw((plain, painted[1])) is plain, "the stage before has said why"
    assert draw(painted, unseen="filled") is painted[0]


def test_what_fails_costs_these_colours_alone(
    tiny_weights: Path, without: Path, painted: tuple[Mesh, Cutout], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny_weights / GUIDED.name, without / GUIDED.name)
    (without / GUIDED.name / "vae" / "config.json").write_text("{", encoding="utf-8")
    damaged = draw(painted)
    assert isinstance(damaged, Noted)
    assert damaged.product is painted[0]
    assert "could not be drawn" in damaged.notes[0]
    assert "config.json" in damaged.notes[0]

    def lost(*_: object, **__: object) -> None:
        raise UserError("device-lost", "The card stopped answering.", "Generate again.")

    monkeypatch.setattr(unseen, "draw_unseen", lost)
    with pytest.raises(UserError, match="stopped answering"):
        draw(painted)


@pytest.mark.usefixtures("weights")
@pytest.mark.parametrize(("gigabytes", "stays"), [(40, True), (6, False)])
def test_the_engines_networks_leave_the_device_if_there_is_no_room_for_all(
    painted: tuple[Mesh, Cutout], monkeypatch: pytest.MonkeyPatch, gigabytes: int, *, stays: bool
) -> None:
    loads: list[str] = []
    own = NetworkPool(
        {
            "own": Network(
                "network",
                values=1_000_000_000,
                works=(0, 0),
                files=list,
                load=lambda: loads.append("own") or "network",
                place=lambda network, _compute, _plan: network,
            )
        }
    )

    def works(network: str, _plan: object) -> str:
        return network

    compute = unseen.choose("float32")
    own.run("own", compute, works)

    def memory_of(_: object) -> int:
        return gigabytes << 30

    monkeypatch.setattr(unseen, "memory_of", memory_of)
    assert isinstance(draw(painted, own), Mesh)
    own.run("own", compute, works)
    assert len(loads) == (1 if stays else 2)
