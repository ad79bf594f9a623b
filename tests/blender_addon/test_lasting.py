# SPDX-License-Identifier: GPL-3.0-or-later
"""The material shows the very pixels that were sent, whatever becomes of the picture meanwhile and afterwards."""

import json
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.raster import png
from tests.blender_addon.support import MODULE, disc, image_of, tick_until


@pytest.fixture
def lasting(scene: Any) -> ModuleType:
    """The add-on's module."""
    return import_module(f"{MODULE}.blender_addon.scene.lasting")


@pytest.fixture
def loaded(scene: Any, picture_file: Path) -> Any:
    """A picture from a file."""
    return bpy.data.images.load(str(picture_file))


def pixels_of(image: Any) -> Any:
    return import_module(f"{MODULE}.blender_addon.scene.pictures").pixels_of(image)


def shown() -> Any:
    """What the active object's material shows."""
    return bpy.context.object.active_material.node_tree.nodes["Picture"].image


def paint(image: Any, value: float = 0.25) -> None:
    image.pixels.foreach_set(np.full(image.size[0] * image.size[1] * 4, value, np.float32))


def generate_while(scene: Any, session: Any, picture: Any, happens: Callable[[], object]) -> None:
    """Generate from a picture, with something happening before the mesh lands."""
    generate = import_module(f"{MODULE}.blender_addon.generate")
    session.occupied_until, usual = (lambda: "it can"), session.occupied_until
    try:
        job = generate.submit(scene, picture, "draft", 5, settings={"resolution": 96})
        tick_until(session, lambda: job.state.name == "LANDING")
        happens()
    finally:
        session.occupied_until = usual
    tick_until(session, lambda: not job.live)
    assert job.state.name == "DONE", job.error


def test_what_waits_to_land_is_named_if_another_file_is_opened(
    scene: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    generate = import_module(f"{MODULE}.blender_addon.generate")
    monkeypatch.setattr(session, "occupied_until", lambda: "you leave Edit Mode")
    job = generate.submit(scene, image_of(disc(), "plum"), "draft", 5, settings={"resolution": 96})
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert not session.notice, "nothing was finished"
    scene = bpy.context.scene
    job = generate.submit(scene, image_of(disc(), "plum"), "draft", 5, settings={"resolution": 96})
    tick_until(session, lambda: job.state.name == "LANDING")
    bpy.ops.wm.revert_mainfile()
    assert job.state.name == "CANCELLED"
    assert session.notice.startswith("plum, seed 5: this was finished, and was dropped because a file was opened")
    generate.submit(bpy.context.scene, image_of(disc(), "plum"), "draft", 5, settings={"resolution": 96})
    assert not session.notice
    session.cancel(session.jobs[-1])


def keep(how: str) -> None:
    bpy.context.preferences.addons[MODULE].preferences.keep_pictures = how


def reopen(path: Path) -> None:
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    bpy.ops.wm.open_mainfile(filepath=str(path))


def test_a_picture_from_a_file_is_shown_from_there(loaded: Any) -> None:
    bpy.ops.hi3dgen.generate(image=loaded.name)
    assert shown() == loaded
    assert not loaded.packed_file


def test_the_file_is_read_again_only_if_it_has_changed(
    lasting: ModuleType, loaded: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.hi3dgen.generate(image=loaded.name)
    with monkeypatch.context() as within:
        within.setattr(lasting, "_has", None)  # whoever reads the file again fails
        bpy.ops.hi3dgen.generate(image=loaded.name, seed=2)
        assert shown() == loaded
    picture_file.write_bytes(png.encode(disc(48)))
    bpy.ops.hi3dgen.generate(image=loaded.name, seed=3)
    assert shown() != loaded


def test_packed_needs_no_other_file(scene: Any, loaded: Any, picture_file: Path, tmp_path: Path) -> None:
    keep("PACKED")
    try:
        for choice in ({"image": loaded.name}, {"filepath": str(picture_file)}):
            bpy.ops.hi3dgen.generate(**choice)
            assert shown() != loaded
    finally:
        keep("PATH")
    name = shown().name
    assert name == "apple picture", "both clicks share one copy, with a name of its own"
    picture_file.unlink()
    reopen(tmp_path / "saved.blend")
    assert np.array_equal(pixels_of(bpy.data.images[name]), disc())


HAPPENS: dict[str, Callable[[Any, Path], object]] = {
    "painted": lambda image, _: paint(image),
    "painted and packed": lambda image, _: (paint(image), image.pack()),
    "painted and saved": lambda image, _: (paint(image), image.save()),
    "reloaded from another file": lambda image, path: (path.write_bytes(png.encode(disc()[::2, ::2])), image.reload()),
    "changed on disk": lambda _, path: path.write_bytes(png.encode(disc()[:, ::-1] // 2)),
    "gone from disk": lambda _, path: path.unlink(),
    "removed": lambda image, _: bpy.data.images.remove(image),
    "pointed elsewhere": lambda image, path: setattr(image, "filepath", str(path.with_name("nowhere.png"))),
    "shown as data": lambda image, _: setattr(image.colorspace_settings, "name", "Non-Color"),
    "its name given to another": lambda image, _: (
        setattr(image, "name", "former"),
        paint(bpy.data.images.new("apple.png", 8, 8)),
        bpy.data.images.remove(image),
    ),
}


@pytest.mark.parametrize("what", HAPPENS)
def test_what_becomes_of_a_picture_meanwhile_is_not_what_was_sent(
    scene: Any, session: Any, loaded: Any, picture_file: Path, tmp_path: Path, what: str
) -> None:
    generate_while(scene, session, loaded, lambda: HAPPENS[what](loaded, picture_file))
    name = shown().name
    assert name == "apple picture"
    reopen(tmp_path / "saved.blend")
    assert np.array_equal(pixels_of(bpy.data.images[name]), disc())


def test_a_file_that_is_overwritten_or_already_painted_on_is_copied(
    scene: Any, session: Any, picture_file: Path
) -> None:
    painted = bpy.data.images.load(str(picture_file))
    paint(painted)
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert shown() != painted
    assert not shown().packed_file, "the file has the pixels"
    generate_while(scene, session, picture_file, lambda: picture_file.write_bytes(png.encode(disc(32))))
    assert np.array_equal(pixels_of(shown()), disc())
    assert shown().packed_file


def test_what_is_painted_and_not_saved_is_copied_once(scene: Any) -> None:
    plum = scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.generate()
    copy = shown()
    assert copy != plum
    assert copy.packed_file
    assert bpy.ops.hi3dgen.generate() == {"FINISHED"}
    assert shown() == copy
    assert scene.hi3dgen.picture == plum
    paint(copy)
    copy.pack()
    bpy.ops.hi3dgen.generate()
    assert shown() not in (plum, copy), "it was painted on"
    assert np.array_equal(pixels_of(shown()), disc())


def test_what_is_packed_already_is_used_as_it_is(scene: Any) -> None:
    plum = scene.hi3dgen.picture = image_of(disc(), "plum")
    plum.pack()
    bpy.ops.hi3dgen.generate()
    assert shown() == plum


def test_the_copy_has_the_mask_and_the_normal_map_of_the_picture(scene: Any) -> None:
    plum = scene.hi3dgen.picture = image_of(disc(), "plum")
    mask = plum.hi3dgen_cutout = image_of(np.repeat(disc()[..., 3:], 4, axis=2) | (0, 0, 0, 255), "mask")
    bpy.ops.hi3dgen.generate()
    assert shown().hi3dgen_cutout == mask
    assert shown().hi3dgen_normal_map == plum.hi3dgen_normal_map
    active = import_module(f"{MODULE}.blender_addon.scene.active")
    assert active.pictured(mask) == plum, "the picture itself, not its copy"


def test_a_normal_map_alone_leaves_no_copy(scene: Any) -> None:
    scene.hi3dgen.picture = image_of(disc(), "plum")
    bpy.ops.hi3dgen.make_normal_map()
    assert {image.name for image in bpy.data.images} == {"plum", "plum normals"}


def test_a_linked_picture_beside_a_local_one_of_its_name_is_copied(scene: Any, tmp_path: Path) -> None:
    image = image_of(disc(), "plum")
    image.pack()
    bpy.data.libraries.write(str(tmp_path / "library.blend"), {image})
    bpy.data.images.remove(image)
    image_of(disc(64), "plum")
    libraries: Any = bpy.data.libraries  # the stub of `load` says nothing of what it gives
    with libraries.load(str(tmp_path / "library.blend"), link=True) as (_, wanted):
        wanted.images = ["plum"]
    scene.hi3dgen.picture = next(image for image in bpy.data.images if image.library)
    bpy.ops.hi3dgen.generate()
    assert shown().library is None
    assert np.array_equal(pixels_of(shown()), disc())


def test_scene_picture_collection_and_object_are_held_through_renames(scene: Any, session: Any, loaded: Any) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    properties = import_module(f"{MODULE}.blender_addon.ui.properties")
    bpy.ops.hi3dgen.generate(image=loaded.name)
    former = bpy.context.object
    scene.hi3dgen.stands = "IN_PLACE"
    scene.hi3dgen.collection = bpy.data.collections.new("Props")
    scene.collection.children.link(scene.hi3dgen.collection)
    session.occupied_until, usual = (lambda: "it can"), session.occupied_until
    try:
        placing = properties.placing_of(scene)
        job = generate.submit(scene, loaded, "draft", 5, settings={"resolution": 96}, placing=placing)
        tick_until(session, lambda: job.state.name == "LANDING")
        for thing in (scene, loaded, former, scene.hi3dgen.collection):
            thing.name = f"renamed {thing.name}"
        for kind, name in ((bpy.data.scenes, "Scene"), (bpy.data.collections, "Props")):
            kind.new(name)
    finally:
        session.occupied_until = usual
    tick_until(session, lambda: not job.live)
    landed = bpy.context.object
    assert [collection.name for collection in landed.users_collection] == ["renamed Props"]
    assert landed.name in scene.objects
    assert shown() == loaded
    assert loaded.hi3dgen_normal_map == landed.active_material.node_tree.nodes["Normal Map"].image
    landed.name = "mine"
    held = import_module(f"{MODULE}.blender_addon.scene.held")
    assert [held.held(bpy.data.objects, uid) for uid in job.landed] == [landed]


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("owl.png", "owl"),
        ("v1.2 final", "v1.2 final"),
        ("v1.2 final.PNG", "v1.2 final"),
        ("owl.png.001", "owl"),
        ("owl.001", "owl.001"),
        ("walk.mp4", "walk"),
        (".png", ".png"),
    ],
)
def test_names_keep_their_dots(lasting: ModuleType, name: str, title: str) -> None:
    assert lasting.title_of(name) == title


@pytest.mark.usefixtures("all_round")
@pytest.mark.parametrize("shows", ["PICTURE", "ALL_ROUND", "NORMAL_MAP", "NORMAL_DETAIL"])
def test_gltf_holds_the_colours_and_smooth_normals(scene: Any, tmp_path: Path, shows: str) -> None:
    plum = scene.hi3dgen.picture = image_of(disc(), "v1.2 final")
    bpy.ops.hi3dgen.generate()
    assert bpy.context.object.name == "v1.2 final"
    paint(plum)
    bpy.context.object.active_material.hi3dgen_shows = shows
    bpy.ops.export_scene.gltf(filepath=str(tmp_path / "v1.2 final.glb"), export_format="GLB", use_selection=True)
    assert bpy.context.object.active_material.hi3dgen_shows == shows
    data = (tmp_path / "v1.2 final.glb").read_bytes()
    length = int.from_bytes(data[12:16], "little")
    document, binary = json.loads(data[20 : 20 + length]), data[28 + length :]
    (primitive,) = document["meshes"][0]["primitives"]
    assert {"POSITION", "NORMAL", "TEXCOORD_0"} <= set(primitive["attributes"])
    material = document["materials"][primitive["material"]]
    assert not {"normalTexture", "emissiveTexture"} & set(material)
    surface = material["pbrMetallicRoughness"]
    shown = surface["baseColorTexture"]
    assert shown.get("texCoord", 0) == 0, "whatever is shown lies by the first UV map"
    image = document["images"][document["textures"][shown["index"]]["source"]]
    view = document["bufferViews"][image["bufferView"]]
    start = view.get("byteOffset", 0)
    (tmp_path / "exported.png").write_bytes(binary[start : start + view["byteLength"]])
    exported = bpy.data.images.load(str(tmp_path / "exported.png"))
    own = bpy.context.object.active_material.node_tree.nodes["All Round"].image
    expected = disc() if shows == "PICTURE" else pixels_of(own)
    assert np.array_equal(pixels_of(exported)[..., :3], expected[..., :3])
    assert document["nodes"][0]["name"] == "v1.2 final"
