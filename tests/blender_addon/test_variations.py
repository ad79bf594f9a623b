# SPDX-License-Identifier: GPL-3.0-or-later
"""Several meshes of one picture: another seed is another click, one is kept, and none is lost."""

from importlib import import_module
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender_addon.support import MODULE, disc, image_of


@pytest.fixture
def plum(scene: Any) -> Any:
    """The panel's picture."""
    scene.hi3dgen.picture = image_of(disc(), "plum")
    return scene.hi3dgen.picture


def seeds(scene: Any) -> list[int]:
    """The seeds of all generated objects."""
    return sorted(thing["hi3dgen"]["seed"] for thing in scene.objects if "hi3dgen" in thing)


def seen(scene: Any) -> list[int]:
    """The seeds of those that are in sight."""
    bpy.context.view_layer.update()
    return sorted(thing["hi3dgen"]["seed"] for thing in scene.objects if "hi3dgen" in thing and thing.visible_get())


def rolls(number: int) -> list[Any]:
    """Meshes of the picture, with seeds from 0 on."""
    made = []
    for _ in range(number):
        bpy.ops.hi3dgen.reroll()
        made.append(bpy.context.object)
    return made


def operators() -> Any:
    return import_module(f"{MODULE}.blender_addon.ui.variation_operators")


def meant() -> Any:
    return import_module(f"{MODULE}.blender_addon.scene.active").meant(bpy.context)


def choose(thing: Any) -> None:
    bpy.context.view_layer.objects.active = thing


def test_each_roll_has_a_seed_of_its_own(scene: Any, plum: Any) -> None:
    rolls(2)
    assert seeds(scene) == [0, 1]
    scene.hi3dgen.count = 2
    bpy.ops.hi3dgen.reroll()
    assert seeds(scene) == [0, 1, 2, 3]
    scene.hi3dgen.seed, scene.hi3dgen.count = 0, 1
    scene.hi3dgen.picture = image_of(disc() // 2 * 2, "peach")
    bpy.ops.hi3dgen.reroll()
    assert bpy.context.object["hi3dgen"]["seed"] == 0, "of another picture"


def test_a_picture_with_another_name_is_the_same_picture(scene: Any, plum: Any) -> None:
    rolls(1)
    bpy.data.images["plum picture"].name = "damson picture"
    plum.name = "damson"
    bpy.ops.hi3dgen.reroll()
    plum.pack()
    plum.name = "sloe"
    bpy.ops.hi3dgen.reroll()
    assert seeds(scene) == [0, 1, 2]
    scene.hi3dgen.seed = 0
    assert operators()._next_seed(scene, meant()) == 3
    plum.pixels.foreach_set(np.full(len(plum.pixels), 0.5, np.float32))
    assert operators()._next_seed(scene, meant()) == 0, "its pixels are others"


def test_a_large_picture_is_not_read_for_the_next_seed(scene: Any, plum: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operators(), "AT_ONCE", 16)
    rolls(1)
    plum.pixels.foreach_set(np.full(len(plum.pixels), 0.5, np.float32))
    assert operators()._next_seed(scene, meant()) == 1, "it is told by its name"


def test_one_is_kept_and_the_others_are_parked_in_one_step(scene: Any, plum: Any) -> None:
    made = rolls(3)
    choose(made[1])
    assert bpy.ops.hi3dgen.keep_variation() == {"FINISHED"}
    assert seen(scene) == [1]
    assert seeds(scene) == [0, 1, 2], "nothing is lost"
    parking = bpy.data.collections["Hi3DGen Parked"]
    assert parking.hide_render
    assert {*parking.objects} == {made[0], made[2]}


def test_a_parked_one_takes_the_place_of_the_one_that_is_seen(scene: Any, plum: Any) -> None:
    made = rolls(3)
    choose(made[0])
    made[0].location, made[0].rotation_euler = (3, 4, 5), (0, 0, 1)
    made[0].scale = (2, 2, 2)
    holder = bpy.data.objects.new("holder", None)
    scene.collection.objects.link(holder)
    made[0].parent = holder
    bpy.ops.hi3dgen.keep_variation()
    assert bpy.ops.hi3dgen.step_variation() == {"FINISHED"}
    shown = bpy.context.object
    assert shown == made[1]
    assert seen(scene) == [1]
    assert shown.parent == holder
    bpy.context.view_layer.update()
    floors = []
    for thing in made[:2]:
        low = np.array(thing.bound_box).min(axis=0)
        high = np.array(thing.bound_box).max(axis=0)
        middle = (low + high) / 2
        floors.append(np.array(thing.matrix_world) @ (middle[0], middle[1], low[2], 1))
    assert np.allclose(floors[0], floors[1], atol=1e-5)
    assert shown.matrix_world.to_scale().x == pytest.approx(2)
    assert scene.hi3dgen.seed == 1, "the panel makes the same again"
    bpy.ops.hi3dgen.step_variation(step=-2)
    assert bpy.context.object == made[2], "it goes round"


def test_one_that_is_seen_stays_where_it_is(scene: Any, plum: Any) -> None:
    made = rolls(2)
    choose(made[0])
    before = [thing.matrix_world.copy() for thing in made]
    bpy.ops.hi3dgen.step_variation()
    assert bpy.context.object == made[1]
    assert [thing.matrix_world for thing in made] == before
    assert seen(scene) == [0, 1]


def test_copies_of_the_kept_one_and_other_pictures_meshes_stay(scene: Any, plum: Any) -> None:
    made = rolls(2)
    copy = made[0].copy()
    scene.collection.objects.link(copy)
    scene.hi3dgen.picture = image_of(disc() // 2 * 2, "peach")
    bpy.ops.hi3dgen.generate(seed=5)
    choose(made[0])
    bpy.ops.hi3dgen.keep_variation()
    assert seen(scene) == [0, 0, 5]


def test_alone_it_has_nothing_to_choose_from(scene: Any, plum: Any) -> None:
    rolls(1)
    with pytest.raises(RuntimeError, match="no other mesh of the same picture"):
        bpy.ops.hi3dgen.keep_variation()
    bpy.context.view_layer.objects.active = None
    with pytest.raises(RuntimeError, match="no generated mesh"):
        bpy.ops.hi3dgen.step_variation()


def test_one_that_hangs_on_a_parked_one_comes_back_and_is_not_lost(scene: Any, plum: Any) -> None:
    made = rolls(2)
    made[1].parent = made[0]
    choose(made[1])
    bpy.ops.hi3dgen.keep_variation()
    assert seen(scene) == [1]
    bpy.ops.hi3dgen.step_variation(step=-1)
    assert seen(scene) == [0]
    assert all(thing.users_collection for thing in made)
    bpy.ops.hi3dgen.step_variation()
    assert seen(scene) == [1]


def test_another_scene_that_shows_one_keeps_it(scene: Any, plum: Any) -> None:
    made = rolls(2)
    other = bpy.data.scenes.new("Other")
    other.collection.objects.link(made[0])
    choose(made[1])
    bpy.ops.hi3dgen.keep_variation()
    assert seen(scene) == [1]
    assert made[0].name in other.collection.objects
    bpy.data.scenes.remove(other)


def test_alone_it_says_so(scene: Any, plum: Any) -> None:
    rolls(1)
    with pytest.raises(RuntimeError, match="has no other mesh of the same picture"):
        bpy.ops.hi3dgen.keep_variation()


def test_what_generate_refuses_is_said_in_a_sentence(scene: Any, plum: Any, tmp_path: Any) -> None:
    scene.hi3dgen.picture = gone = bpy.data.images.new("gone", 8, 8)
    gone.source, gone.filepath = "FILE", str(tmp_path / "gone.png")
    with pytest.raises(RuntimeError) as error:
        bpy.ops.hi3dgen.reroll()
    assert "gone.png" in str(error.value)
    assert "Traceback" not in str(error.value)
