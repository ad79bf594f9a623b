# SPDX-License-Identifier: GPL-3.0-or-later
"""A large picture is read in steps: what is sent is what Blender shows, of one moment, whatever happens between."""

import weakref
from collections.abc import Callable, Generator
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import numpy as np
import pytest

from backend.raster import png
from tests.blender_addon.support import MODULE, disc, image_of, tick_until

Changed = Callable[[Any, Path], object]


@pytest.fixture
def reading(scene: Any, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The add-on's module; every picture is a large one."""
    module = import_module(f"{MODULE}.blender_addon.scene.reading")
    monkeypatch.setattr(module, "AT_ONCE", 16)
    return module


@pytest.fixture
def loaded(scene: Any, picture_file: Path) -> Any:
    """A picture from a file, as the Image Editor shows it."""
    image = bpy.data.images.load(str(picture_file))
    assert image.size[0]
    return image


def paint(image: Any, value: float = 0.25) -> None:
    image.pixels.foreach_set(np.full(image.size[0] * image.size[1] * 4, value, np.float32))


def to_its_end(steps: Generator[None, None, Any]) -> tuple[Any, int]:
    """What steps give, and how many there were before the last one."""
    count = 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, count
        count += 1


def kinds(picture_file: Path) -> dict[str, Any]:
    """Images of every kind that reads in another way."""
    floats = bpy.data.images.new("floats", 40, 30, alpha=True, float_buffer=True)
    floats.pixels.foreach_set(np.linspace(0.0, 1.5, 4800, dtype=np.float32))
    packed = bpy.data.images.load(str(picture_file))
    packed.pack()
    data = bpy.data.images.load(str(picture_file), check_existing=False)
    data.colorspace_settings.name = "Non-Color"
    linear = bpy.data.images.load(str(picture_file), check_existing=False)
    linear.colorspace_settings.name = "Linear Rec.709"
    viewed = bpy.data.images.load(str(picture_file), check_existing=False)
    viewed.use_view_as_render = True
    painted = image_of(disc(50), "painted")
    return {"floats": floats, "packed": packed, "data": data, "linear": linear, "viewed": viewed, "painted": painted}


def test_every_kind_of_picture_is_read_in_steps_as_at_once(
    reading: ModuleType, loaded: Any, picture_file: Path
) -> None:
    pictures = import_module(f"{MODULE}.blender_addon.scene.pictures")
    for name, image in {"loaded": loaded, **kinds(picture_file)}.items():
        read, steps = to_its_end(reading.read(image))
        expected, lies = pictures.upright(image)
        assert np.array_equal(read.pixels, expected), name
        assert read.lies == lies
        assert steps > 0, name


def test_a_picture_beyond_the_wires_size_is_shrunk_in_steps_as_at_once(reading: ModuleType) -> None:
    pictures = import_module(f"{MODULE}.blender_addon.scene.pictures")
    wide = image_of(np.random.default_rng(1).integers(0, 256, (3, 9001, 4), np.uint8), "wide")
    read, _ = to_its_end(reading.read(wide))
    assert read.pixels.shape == (1, 3000, 4)
    assert np.array_equal(read.pixels, pictures.pixels_of(wide))


def test_a_photo_is_turned_upright_and_one_that_is_cut_off_is_refused(
    reading: ModuleType, scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    errors = import_module(f"{MODULE}.blender_addon.errors")
    exif = Image.Exif()
    exif[274] = 6
    Image.fromarray(disc()[:64, :, :3]).save(tmp_path / "photo.jpg", exif=exif)
    read, _ = to_its_end(reading.read(bpy.data.images.load(str(tmp_path / "photo.jpg"))))
    assert read.pixels.shape[:2] == (96, 64)
    assert read.lies == 6
    whole = (tmp_path / "photo.jpg").read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[:-40])
    copies: list[Any] = []
    usual = reading.copied

    def copied(*arguments: Any) -> Any:
        copy = usual(*arguments)
        copies.append(weakref.ref(copy))
        return copy

    monkeypatch.setattr(reading, "copied", copied)
    with pytest.raises(errors.AddonError, match=r"“half\.jpg” ends in the middle"):
        to_its_end(reading.read_file(tmp_path / "half.jpg"))
    assert [copy() for copy in copies] == [None], "nothing holds the error with its pixels"


def test_a_small_picture_is_read_in_the_first_step(scene: Any, loaded: Any) -> None:
    module = import_module(f"{MODULE}.blender_addon.scene.reading")
    read, steps = to_its_end(module.read(loaded))
    assert steps == 0
    assert np.array_equal(read.pixels, disc())


def test_a_file_is_read_in_steps_and_leaves_no_trace(
    reading: ModuleType, scene: Any, picture_file: Path, tmp_path: Path
) -> None:
    steps = reading.read_file(picture_file)
    next(steps)
    steps.close()
    assert not bpy.data.images, "as when its job is cancelled"
    steps = reading.read_file(picture_file)
    next(steps)
    bpy.data.batch_remove([*bpy.data.images])  # as an undo does
    read, _ = to_its_end(steps)
    assert np.array_equal(read.pixels, disc())
    (tmp_path / "torn.png").write_bytes(b"no picture")
    errors = import_module(f"{MODULE}.blender_addon.errors")
    with pytest.raises(errors.AddonError, match=r"“torn\.png” cannot be read as a picture"):
        to_its_end(reading.read_file(tmp_path / "torn.png"))
    assert not bpy.data.images


def test_a_file_is_read_once(scene: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lasting = import_module(f"{MODULE}.blender_addon.scene.lasting")
    monkeypatch.setattr(lasting, "upright", None)  # whoever reads it again fails
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    assert (Path(shown.filepath), shown.name) == (picture_file, "apple.png")


BETWEEN: dict[str, tuple[Changed, Callable[[], Any]]] = {
    "painted on": (lambda image, _: paint(image), lambda: np.full((96, 96, 4), 64, np.uint8)),
    "replaced by a larger one": (
        lambda image, path: (path.write_bytes(png.encode(disc(120))), image.reload()),
        lambda: disc(120),
    ),
    "renamed": (lambda image, _: setattr(image, "name", "another"), disc),
    "overwritten on disk": (lambda _, path: path.write_bytes(png.encode(disc(32))), disc),
}


@pytest.mark.parametrize("what", BETWEEN)
def test_what_is_changed_between_two_steps_is_read_as_it_is_then(
    reading: ModuleType, loaded: Any, picture_file: Path, what: str
) -> None:
    change, expected = BETWEEN[what]
    steps = reading.read(loaded)
    next(steps)
    change(loaded, picture_file)
    read, _ = to_its_end(steps)
    assert np.array_equal(read.pixels, expected())


def test_what_is_painted_and_not_saved_is_read_as_it_is_at_the_click(reading: ModuleType, loaded: Any) -> None:
    paint(loaded, 0.5)
    steps = reading.read(loaded)
    next(steps)
    paint(loaded, 0.25)
    read, _ = to_its_end(steps)
    assert set(np.unique(read.pixels)) == {128}


def test_a_picture_that_is_removed_before_it_is_read_ends_its_job_alone(
    reading: ModuleType, scene: Any, session: Any, loaded: Any
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    other = image_of(disc(), "plum")
    lost, kept = (generate.submit(scene, image, "draft", 1, settings={"resolution": 96}) for image in (loaded, other))
    bpy.data.images.remove(loaded)
    tick_until(session, lambda: not lost.live and not kept.live)
    assert (lost.state.name, kept.state.name) == ("FAILED", "DONE")
    assert lost.error.sentence == "The picture was removed before it was read."


def test_the_panel_says_that_the_picture_is_read_and_the_job_waits_for_it(
    reading: ModuleType, scene: Any, session: Any, loaded: Any
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    job_box = import_module(f"{MODULE}.blender_addon.ui.job_box")
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    first, second = (generate.submit(scene, loaded, "draft", 1, settings={"resolution": 96}) for _ in range(2))
    assert job_box.waits_for(session) == "Reading the picture of the first:"
    session.cancel(second)
    assert job_box.waits_for(session) == "Reading the picture:"
    tick_until(session, lambda: not first.live)
    assert first.state.name == "DONE"
    assert np.array_equal(first.request.inputs["picture"], disc())
    assert second.state.name == "CANCELLED"
    assert not second.request.inputs


def test_the_mask_and_the_picture_are_of_the_same_moment(
    reading: ModuleType, scene: Any, session: Any, loaded: Any
) -> None:
    generate = import_module(f"{MODULE}.blender_addon.generate")
    mask = image_of(np.full((96, 96, 4), 255, np.uint8), "mask")
    job = generate.submit(scene, loaded, "draft", 1, inputs={"own_cutout": mask})
    paint(mask, 0.0)
    tick_until(session, lambda: job.reading is None)
    assert job.request.inputs["own_cutout"].all()
    session.cancel(job)


def test_what_blender_shows_is_compared_with_its_file_only_if_that_may_have_changed(
    scene: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting = import_module(f"{MODULE}.blender_addon.scene.lasting")
    compared: list[str] = []
    usual = lasting._reads_as

    def reads_as(source: Any, pixels: Any) -> bool:
        compared.append(source.place)
        return usual(source, pixels)

    monkeypatch.setattr(lasting, "_reads_as", reads_as)
    image = bpy.data.images.load(str(picture_file))
    bpy.ops.hi3dgen.generate(image=image.name)
    assert not compared, "it was read when Blender loaded it"
    other = picture_file.with_name("pear.png")
    other.write_bytes(png.encode(disc(80)))
    shown = bpy.data.images.load(str(other))
    assert shown.size[0]
    bpy.ops.hi3dgen.generate(image=shown.name)
    assert compared == [str(other)], "it is as young as this file"
    monkeypatch.setattr(lasting, "_loaded_since", lasting.time.time() + 60.0)
    lasting._known.clear()
    third = bpy.data.images.load(str(other), check_existing=False)
    assert third.size[0]
    bpy.ops.hi3dgen.generate(image=third.name)
    assert bpy.context.object.active_material.node_tree.nodes["Picture"].image == third
    assert len(compared) == 1, "nothing changed it since any image was loaded"
    assert lasting.source_of(third).is_proven
    monkeypatch.setattr(lasting, "_TELLS_CHANGES", False)  # as on Windows
    assert not lasting.source_of(third).is_proven


@pytest.mark.parametrize("same", [True, False])
def test_a_large_file_that_may_have_changed_is_compared_before_the_mesh_is_there(
    reading: ModuleType, scene: Any, loaded: Any, picture_file: Path, monkeypatch: pytest.MonkeyPatch, *, same: bool
) -> None:
    lasting = import_module(f"{MODULE}.blender_addon.scene.lasting")
    monkeypatch.setattr(lasting, "_reads_as", None)  # whoever reads the file when the mesh lands fails
    picture_file.write_bytes(png.encode(disc() if same else disc() // 2))
    bpy.ops.hi3dgen.generate(image=loaded.name)
    shown = bpy.context.object.active_material.node_tree.nodes["Picture"].image
    assert (shown == loaded) is same
    assert {image.name for image in bpy.data.images if "apple" in image.name and "hi3dgen_product" not in image} == (
        {"apple.png"} if same else {"apple.png", "apple picture"}
    )


def test_a_folder_is_called_one(scene: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"is a folder\. Give the path of a picture, or use Generate from Folder\."):
        bpy.ops.hi3dgen.generate(filepath=str(tmp_path))


def test_of_a_file_that_is_no_picture_blender_prints_no_warning(
    scene: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"no picture")
    with pytest.raises(RuntimeError, match=r"“a\.png” cannot be read as a picture"):
        bpy.ops.hi3dgen.generate(filepath=str(path))
    printed = capfd.readouterr()
    assert "WARN" not in printed.out + printed.err
