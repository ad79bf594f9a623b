# SPDX-License-Identifier: GPL-3.0-or-later
"""Results on their way into the scene: each lands on its own, and what the scene does not take is offered again."""

import dataclasses
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import pytest

from tests.blender_addon.support import MODULE, tick_until

Break = Callable[[Any], Any]


def too_many_corners(result: Any) -> Any:
    mesh = result.products["mesh"]
    broken = dataclasses.replace(mesh, triangles=mesh.triangles + 1_000_000)
    return dataclasses.replace(result, products={**result.products, "mesh": broken})


def no_property(result: Any) -> Any:
    return dataclasses.replace(result, recipe={"settings": object()})


@pytest.fixture
def arrived(scene: Any, session: Any, picture_file: Path) -> Any:
    """A job with three results that the scene has not been offered yet."""
    generate = import_module(f"{MODULE}.blender_addon.generate")
    session.occupied_until, usual = (lambda: "the test says so"), session.occupied_until
    try:
        job = generate.submit(scene, picture_file, "draft", 5, settings={"resolution": 96}, count=3)
        tick_until(session, lambda: job.state.name == "LANDING")
    finally:
        session.occupied_until = usual
    return job


def datablocks() -> list[set[str]]:
    return [{thing.name for thing in kind} for kind in (bpy.data.objects, bpy.data.meshes, bpy.data.images)]


def seeds() -> list[int]:
    return [thing["hi3dgen"]["seed"] for thing in sorted(bpy.data.objects, key=lambda thing: thing.location.x)]


@pytest.mark.parametrize("damage", [too_many_corners, no_property])
def test_one_that_does_not_land_costs_no_other_and_is_offered_again(session: Any, arrived: Any, damage: Break) -> None:
    whole = arrived.results[1]
    arrived.results[1] = damage(whole)
    tick_until(session, lambda: not arrived.live)
    assert arrived.state.name == "KEPT"
    assert seeds() == [5, 7]
    assert "seed 6 could not be put into the scene" in arrived.error.sentence
    assert [result.seed for result in arrived.results] == [6]
    before = datablocks()
    with pytest.raises(RuntimeError, match="seed 6"):
        bpy.ops.hi3dgen.land_again()
    assert datablocks() == before
    arrived.results[0] = whole
    assert bpy.ops.hi3dgen.land_again(job=arrived.request.job) == {"FINISHED"}
    assert arrived.state.name == "DONE"
    assert seeds() == [5, 6, 7], "in the place that was left for it"
    assert bpy.context.selected_objects == [bpy.context.object]
    assert not bpy.ops.hi3dgen.land_again.poll()


def test_if_none_lands_all_are_kept_and_nothing_is_left_behind(session: Any, arrived: Any) -> None:
    before = datablocks()
    arrived.results = [too_many_corners(result) for result in arrived.results]
    tick_until(session, lambda: not arrived.live)
    assert "seeds 5, 6, 7" in arrived.error.sentence
    assert len(arrived.results) == 3
    assert datablocks() == before


def test_kept_results_outlive_the_next_job_and_the_backend(
    scene: Any, session: Any, arrived: Any, picture_file: Path
) -> None:
    whole = arrived.results[1]
    arrived.results[1] = too_many_corners(whole)
    tick_until(session, lambda: not arrived.live)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file), seed=1, count=1)
    session.close()
    arrived.results[0] = whole
    assert bpy.ops.hi3dgen.land_again() == {"FINISHED"}
    assert 6 in seeds()


def test_kept_results_go_when_they_are_cancelled_and_never_into_another_file(session: Any, arrived: Any) -> None:
    arrived.results = [too_many_corners(result) for result in arrived.results]
    tick_until(session, lambda: not arrived.live)
    bpy.ops.wm.read_homefile(use_empty=True, use_factory_startup=False)
    assert arrived.state.name == "CANCELLED"
    assert arrived.results == []
    assert not bpy.ops.hi3dgen.land_again.poll()
