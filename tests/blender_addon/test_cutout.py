# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out before there is a mesh, without a window: strokes, looks, masks, and meshes that are made with them."""

import dataclasses
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

from tests.blender_addon.support import CHECKOUT, MODULE, disc, image_of, tick_until, vertices_of

Image = pytest.importorskip("PIL.Image", reason="Pillow writes the files")

LEFT, RIGHT = (slice(40, 80), slice(20, 55)), (slice(40, 80), slice(105, 140))


def module(name: str) -> Any:
    return import_module(f"{MODULE}.blender_addon.{name}")


def two_boxes(name: str = "boxes.png") -> Any:
    """A red and a blue box before plain grey."""
    pixels = np.full((120, 160, 4), (150, 150, 150, 255), np.uint8)
    pixels[LEFT] = (200, 40, 30, 255)
    pixels[RIGHT] = (30, 60, 200, 255)
    return image_of(pixels, name)


def mask_with(place: tuple[slice, slice]) -> NDArray[np.uint8]:
    mask = np.zeros((120, 160), np.uint8)
    mask[place] = 255
    return mask


def last_look(picture: Any) -> Any:
    """What the panel shows of a picture."""
    return module("ui.cutout_operators").last_look(bpy.context.scene, picture)


# --- strokes ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def strokes(extension: Any) -> Any:
    return module("cutout.strokes")


def test_a_stroke_is_as_wide_as_it_says_around_its_line(strokes: Any) -> None:
    picture = strokes.picture_of([strokes.Stroke(keep=True, radius=3.0, points=[(10.0, 20.0), (30.0, 20.0)])], 40, 50)
    assert picture.shape == (40, 50, 4)
    marked = picture[..., 3] > 0
    assert (picture[marked] == 255).all()
    assert np.flatnonzero(marked[:, 20]).tolist() == [17, 18, 19, 20, 21, 22]
    assert np.flatnonzero(marked[20]).tolist() == list(range(7, 33))
    assert not marked[17, 7], "its ends are round"


def test_the_later_stroke_lies_over_the_earlier_and_drops_in_black(strokes: Any) -> None:
    keep = strokes.Stroke(keep=True, radius=2.0, points=[(5.0, 10.0), (35.0, 10.0)])
    drop = strokes.Stroke(keep=False, radius=2.0, points=[(20.0, 0.0), (20.0, 20.0)])
    picture = strokes.picture_of([keep, drop], 20, 40)
    assert picture[10, 20].tolist() == [0, 0, 0, 255]
    assert picture[10, 8].tolist() == [255, 255, 255, 255]
    assert strokes.picture_of([drop, keep], 20, 40)[10, 20].tolist() == [255, 255, 255, 255]


def test_a_line_has_no_gap_at_its_corners(strokes: Any) -> None:
    picture = strokes.picture_of(
        [strokes.Stroke(keep=True, radius=2.0, points=[(5.0, 5.0), (30.0, 25.0), (6.0, 30.0)])], 40, 40
    )
    along = [(5 + 25 * t, 5 + 20 * t) for t in np.linspace(0, 1, 50)]
    along += [(30 - 24 * t, 25 + 5 * t) for t in np.linspace(0, 1, 50)]
    assert all(picture[int(y), int(x), 3] for x, y in along)


@pytest.mark.parametrize("point", [(4.5, 7.5), (4.0, 7.0), (4.99, 7.01)])
def test_a_click_is_a_dot_however_thin(strokes: Any, point: tuple[float, float]) -> None:
    picture = strokes.picture_of([strokes.Stroke(keep=True, radius=0.01, points=[point])], 12, 9)
    assert 1 <= (picture[..., 3] > 0).sum() <= 4


def test_a_stroke_beyond_the_border_marks_what_is_inside(strokes: Any) -> None:
    picture = strokes.picture_of([strokes.Stroke(keep=False, radius=2.0, points=[(-50.0, 5.0), (500.0, 5.0)])], 10, 30)
    assert (picture[5, :, 3] == 255).all()
    outside = strokes.Stroke(keep=True, radius=2.0, points=[(-50.0, -50.0), (-10.0, 90.0)])
    assert not strokes.picture_of([outside, strokes.Stroke(keep=True, radius=2.0)], 10, 30).any()


# --- looks ------------------------------------------------------------------------------------------------------------


def test_a_look_shows_the_cut_out_and_its_notes_and_makes_no_object(scene: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    before = set(bpy.data.objects), set(bpy.data.images)
    assert bpy.ops.hi3dgen.preview_cutout() == {"FINISHED"}
    seen = last_look(picture)
    pixels = seen.thumbnail.pixels
    assert pixels.shape == (64, 64, 4), "as large as the engine's"
    assert (pixels[..., 3] == 255).all(), "on a checkerboard"
    assert len(np.unique(pixels[:16, :64].reshape(-1, 4), axis=0)) == 2
    assert any("2 separate parts" in note and "Draw Cut-out" in note for note in seen.notes)
    assert (set(bpy.data.objects), set(bpy.data.images)) == before


def test_a_look_ends_when_the_picture_the_mask_or_the_file_changes(scene: Any) -> None:
    look, masks = module("cutout.look"), module("scene.masks")
    other = two_boxes("other.png")
    picture = scene.hi3dgen.picture = two_boxes()
    bpy.ops.hi3dgen.preview_cutout()
    assert last_look(picture)
    assert last_look(other) is None
    mask = masks.keep(picture, mask_with(LEFT))
    assert last_look(picture) is None
    bpy.ops.hi3dgen.preview_cutout()
    assert not any("parts" in note for note in last_look(picture).notes)
    mask.pixels[0] = 1.0
    assert last_look(picture) is None, "it is painted on"
    bpy.ops.wm.read_homefile(use_empty=True)
    assert look.kept() == set()


def test_a_look_is_that_of_the_panels_engine_and_settings(scene: Any, use_backend: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    bpy.ops.hi3dgen.preview_cutout()
    scene.hi3dgen_draft.resolution += 1
    assert last_look(picture) is None
    scene.hi3dgen_draft.resolution -= 1
    assert last_look(picture)
    use_backend(CHECKOUT / "tests" / "new_engine.py", "orbit")
    scene.hi3dgen.engine = "orbit"
    assert last_look(picture) is None


def test_another_look_ends_the_one_before(scene: Any, session: Any) -> None:
    operators = module("ui.cutout_operators")
    first = operators.look_at(scene, two_boxes())
    second = operators.look_at(scene, two_boxes("other.png"))
    tick_until(session, lambda: not second.live)
    assert (first.state.name, second.state.name) == ("CANCELLED", "DONE")


def test_a_large_picture_is_read_for_a_look_while_blender_goes_on(
    scene: Any, session: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module("scene.reading"), "AT_ONCE", 16)
    two_boxes().save(filepath=str(tmp_path / "boxes.png"))
    picture = scene.hi3dgen.picture = bpy.data.images.load(str(tmp_path / "boxes.png"))
    job = module("ui.cutout_operators").look_at(scene, picture, 0)
    assert job.is_reading
    tick_until(session, lambda: not job.live)
    assert job.error is None
    assert last_look(picture).thumbnail.pixels.shape == (64, 64, 4)


def test_a_mesh_of_other_pixels_leaves_their_cut_out_in_the_panel(scene: Any, session: Any, tmp_path: Path) -> None:
    file = str(tmp_path / "boxes.png")
    two_boxes().save(filepath=file)
    picture = scene.hi3dgen.picture = bpy.data.images.load(file)
    seen: list[Any] = []
    for changed in (False, True):
        if changed:
            other = two_boxes("other.png")
            other.pixels[:] = np.array(other.pixels[:]).reshape(-1, 4)[:, [2, 0, 1, 3]].ravel() * 0.5 + 0.25
            other.save(filepath=file)
            picture.reload()
        assert bpy.ops.hi3dgen.generate(resolution=64) == {"FINISHED"}
        seen.append(last_look(picture).thumbnail.pixels.astype(int))
    assert np.abs(seen[0] - seen[1]).max() > 50


def test_a_picture_without_an_object_says_so_and_leaves_no_error_in_the_panel(scene: Any, session: Any) -> None:
    pixels = np.full((64, 64, 4), 140, np.uint8)
    pixels[..., 3] = 255
    scene.hi3dgen.picture = image_of(pixels, "nothing.png")
    with pytest.raises(RuntimeError, match=r"Nothing in the picture stands out.*Draw Cut-out"):
        bpy.ops.hi3dgen.preview_cutout()
    assert session.error is None


def test_there_is_nothing_to_look_at_without_a_picture(scene: Any) -> None:
    with pytest.raises(RuntimeError, match="There is no picture"):
        bpy.ops.hi3dgen.preview_cutout()


@pytest.mark.parametrize(
    ("changes", "has_mask", "looks", "draws"),
    [
        ({}, True, "", ""),
        ({"on_request": {}}, False, "does not show its cut-out", "does not show its cut-out"),
        ({"inputs": ("picture", "own_cutout")}, False, "", "takes no strokes"),
        ({"inputs": ("picture", "strokes")}, False, "", ""),
        ({"inputs": ("picture", "strokes")}, True, "", "does not take the picture's mask"),
    ],
)
def test_the_engine_says_what_can_be_done(
    scene: Any,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any],
    has_mask: bool,  # noqa: FBT001 - a parameter of the test
    looks: str,
    draws: str,
) -> None:
    operators = module("ui.cutout_operators")
    engine = dataclasses.replace(operators.chosen_engine(scene), **changes)
    picture = scene.hi3dgen.picture = two_boxes()
    if has_mask:
        module("scene.masks").keep(picture, mask_with(LEFT))
    monkeypatch.setattr(operators, "chosen_engine", Mock(return_value=engine))
    monkeypatch.setattr(operators.runtime, "has_window", lambda: True)
    for why, expected in ((operators.why_not, looks), (operators.why_not_drawn, draws)):
        said = why(bpy.context)
        assert expected in said
        assert bool(expected) == bool(said)


def test_a_look_goes_without_the_mask_that_the_engine_does_not_take(
    scene: Any, session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operators = module("ui.cutout_operators")
    engine = dataclasses.replace(operators.chosen_engine(scene), inputs=("picture",))
    picture = two_boxes()
    module("scene.masks").keep(picture, mask_with(LEFT))
    monkeypatch.setattr(operators, "chosen_engine", Mock(return_value=engine))
    assert set(operators.look_at(scene, picture).request.inputs) == {"picture"}


def test_while_no_engine_is_known_that_is_the_reason(scene: Any, engines: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.hi3dgen.picture = two_boxes()
    with monkeypatch.context() as patch:
        patch.setattr(engines, "_known", engines.NOTHING)
        with pytest.raises(RuntimeError, match="did not say which engines it has"):
            bpy.ops.hi3dgen.preview_cutout()


def test_an_engine_that_is_not_installed_is_refused_as_generate_is(scene: Any, session: Any, engines: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    lacking = tuple(
        dataclasses.replace(engine, missing="It is not installed.") for engine in session.capabilities.engines
    )
    session.capabilities = dataclasses.replace(session.capabilities, engines=lacking)
    for ask in (bpy.ops.hi3dgen.preview_cutout, bpy.ops.hi3dgen.generate):
        with pytest.raises(RuntimeError, match=r"cannot run here\. It is not installed\. Set it up"):
            ask()
    with pytest.raises(Exception, match="cannot run here"):
        module("cutout.drawing").begin(picture, "draft", {})


# --- drawings ---------------------------------------------------------------------------------------------------------


def answered(session: Any, drawing: Any) -> NDArray[np.uint8]:
    tick_until(session, lambda: not drawing.waits)
    assert drawing.error is None, drawing.error
    return drawing.mask


def has(mask: NDArray[np.uint8], place: tuple[slice, slice]) -> bool:
    return bool((mask[place] > 127).mean() > 0.8)


def test_every_stroke_is_answered_and_can_be_taken_back(scene: Any, session: Any, strokes: Any) -> None:
    drawing = module("cutout.drawing").begin(two_boxes(), "draft", {"resolution": 128})
    found = answered(session, drawing)
    assert has(found, LEFT)
    assert has(found, RIGHT)
    drawing.current = strokes.Stroke(keep=False, radius=3.0, points=[(110.0, 60.0), (135.0, 60.0)])
    drawing.end_stroke()
    dropped = answered(session, drawing)
    assert has(dropped, LEFT)
    assert (dropped[RIGHT] < 128).mean() > 0.8
    drawing.undo()
    assert np.array_equal(answered(session, drawing), found)
    drawing.redo()
    assert np.array_equal(answered(session, drawing), dropped)


def test_an_answer_counts_only_for_the_strokes_that_it_was_asked_for(
    scene: Any, session: Any, strokes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawing = module("cutout.drawing").begin(two_boxes(), "draft", {"resolution": 128})
    assert not drawing.answered
    answered(session, drawing)
    assert drawing.answered
    drawing.current = strokes.Stroke(keep=False, radius=3.0, points=[(110.0, 60.0), (135.0, 60.0)])
    drawing.end_stroke()
    session.cancel(drawing.job)
    assert (drawing.waits, drawing.answered) == (False, False)
    drawing.ask()
    answered(session, drawing)
    assert drawing.answered

    def raises(*_: Any, **__: Any) -> Any:
        raise session_error("It is given up.", "Try again.")

    session_error = module("errors").AddonError
    monkeypatch.setattr(session, "submit", raises)
    with pytest.raises(session_error):
        drawing.undo()
    assert (drawing.waits, drawing.answered) == (False, False)


def test_a_mask_that_is_refused_does_not_stop_the_drawing(scene: Any, session: Any, tmp_path: Path) -> None:
    picture = two_boxes()
    picture.hi3dgen_cutout = image_of(disc(), "round")
    drawing = module("cutout.drawing").begin(picture, "draft", {"resolution": 128})
    tick_until(session, lambda: not drawing.waits)
    assert drawing.error.code == "bad-cutout"
    drawing.go_on_without_bad_mask()
    assert has(answered(session, drawing), RIGHT)
    assert "does not have the shape" in drawing.refused.sentence
    assert drawing.answered
    job = drawing.job
    drawing.go_on_without_bad_mask()
    assert drawing.job is job, "it is asked once"


def test_neither_does_a_mask_whose_file_is_gone(scene: Any, session: Any, tmp_path: Path) -> None:
    picture = two_boxes()
    path = tmp_path / "mask.png"
    Image.fromarray(mask_with(LEFT)).save(path)
    picture.hi3dgen_cutout = bpy.data.images.load(str(path))
    path.unlink()
    drawing = module("cutout.drawing").begin(picture, "draft", {"resolution": 128})
    assert has(answered(session, drawing), RIGHT)
    assert "mask.png” is missing" in drawing.refused.sentence


@pytest.mark.parametrize("lies", [3, 6, 7])
def test_strokes_lie_where_blender_shows_a_photo_on_its_side(scene: Any, session: Any, strokes: Any, lies: int) -> None:
    files, pixels = module("scene.picture_files"), module("scene.pictures").pixels_of(two_boxes())
    shape = files.turned_back(pixels, lies).shape[:2]
    asked = ("draft", {"resolution": 128})
    drawing = module("cutout.drawing").Drawing(1, "boxes.png", *asked, *shape, {"picture": pixels}, lies)
    drawing.ask()
    assert has(answered(session, drawing), RIGHT)
    rows, columns = np.nonzero(files.turned_back(mask_with(RIGHT), lies))
    assert drawing.shown_mask.shape[0] / drawing.shown_mask.shape[1] == drawing.height / drawing.width
    drawing.current = strokes.Stroke(keep=False, radius=10.0, points=[(columns.mean(), rows.mean())])
    drawing.end_stroke()
    dropped = answered(session, drawing)
    assert has(dropped, LEFT)
    assert not has(dropped, RIGHT)


def test_strokes_that_leave_nothing_are_told_and_the_last_answer_stays(scene: Any, session: Any, strokes: Any) -> None:
    drawing = module("cutout.drawing").begin(two_boxes(), "draft", {"resolution": 128})
    found = answered(session, drawing)
    drawing.current = strokes.Stroke(keep=False, radius=200.0, points=[(0.0, 0.0), (160.0, 120.0)])
    drawing.end_stroke()
    tick_until(session, lambda: not drawing.waits)
    assert drawing.error.code == "strokes-one-sided"
    assert drawing.mask is found


def test_a_drawing_goes_on_from_the_mask(scene: Any, session: Any, strokes: Any) -> None:
    picture = two_boxes()
    module("scene.masks").keep(picture, mask_with(LEFT))
    drawing = module("cutout.drawing").begin(picture, "draft", {"resolution": 128})
    assert not has(answered(session, drawing), RIGHT)
    drawing.current = strokes.Stroke(keep=True, radius=3.0, points=[(110.0, 60.0), (135.0, 60.0)])
    drawing.end_stroke()
    assert has(answered(session, drawing), RIGHT)
    assert has(drawing.mask, LEFT)


@pytest.fixture
def large(scene: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A picture of a file, which is a large one, and beyond what is sent; it has a mask, too."""
    monkeypatch.setattr(module("scene.reading"), "AT_ONCE", 16)
    monkeypatch.setattr(module("cutout.drawing"), "MAX_SIDE", 64)
    path = tmp_path / "boxes.jpg"
    Image.fromarray(module("scene.pictures").pixels_of(two_boxes())[..., :3]).save(path, quality=95)
    picture = bpy.data.images.load(str(path))
    module("scene.masks").keep(picture, mask_with(LEFT))
    return picture


def test_a_large_picture_is_read_while_it_is_drawn_over(session: Any, strokes: Any, large: Any) -> None:
    drawing = module("cutout.drawing").begin(large, "draft", {"resolution": 64})
    assert drawing.job.is_reading
    assert not drawing.inputs
    assert (drawing.height, drawing.width) == (40, 53), "a third"
    drawing.current = strokes.Stroke(keep=True, radius=1.0, points=[(36.0, 20.0), (45.0, 20.0)])
    drawing.end_stroke()
    assert drawing.job.is_reading, "the stroke waits for the same reading"
    answered(session, drawing)
    pixels_of = module("scene.pictures").pixels_of
    sent = drawing.job.request.inputs
    np.testing.assert_array_equal(sent["picture"], pixels_of(large, 64))
    np.testing.assert_array_equal(sent["own_cutout"], pixels_of(large.hi3dgen_cutout, 64))
    np.testing.assert_array_equal(sent["strokes"], strokes.picture_of(drawing.strokes, 40, 53))


def test_every_stroke_goes_on_with_the_reading_that_is_under_way(
    session: Any, large: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings, begun = module("cutout.drawing"), 0
    read_shrunk = drawings.read_shrunk

    def counted(*given: Any) -> Any:
        nonlocal begun
        begun += 1
        return read_shrunk(*given)

    monkeypatch.setattr(drawings, "read_shrunk", counted)
    drawing = drawings.begin(large, "draft", {"resolution": 64})
    drawing.ask()
    assert drawing.job.is_reading, "its second step, which is never the last: two threads work one after the other"
    answered(session, drawing)
    drawing.ask()
    answered(session, drawing)
    assert begun == 2, "of the picture and of its mask"


def test_a_large_picture_that_cannot_be_read_is_told_and_read_anew(session: Any, large: Any) -> None:
    drawings, path = module("cutout.drawing"), Path(large.filepath)
    whole = path.read_bytes()
    path.write_bytes(whole[:-200])
    drawing = drawings.begin(large, "draft", {"resolution": 64})
    tick_until(session, lambda: not drawing.waits)
    assert "ends in the middle" in drawing.error.sentence
    path.write_bytes(whole)
    drawing.ask()
    assert has(answered(session, drawing), tuple(slice(side.start // 3, side.stop // 3) for side in LEFT))


def test_an_answer_comes_while_the_artist_is_in_another_mode(scene: Any, session: Any) -> None:
    thing = bpy.data.objects.new("thing", bpy.data.meshes.new("thing"))
    scene.collection.objects.link(thing)
    bpy.context.view_layer.objects.active = thing
    bpy.ops.object.mode_set(mode="EDIT")
    drawing = module("cutout.drawing").begin(two_boxes(), "draft", {"resolution": 128})
    assert has(answered(session, drawing), LEFT)
    bpy.ops.object.mode_set(mode="OBJECT")


# --- masks ------------------------------------------------------------------------------------------------------------


def test_a_kept_mask_is_an_image_to_paint_on(scene: Any) -> None:
    picture = two_boxes("owl.png")
    mask = module("scene.masks").keep(picture, mask_with(LEFT))
    assert (mask.name, tuple(mask.size), mask.colorspace_settings.name) == ("owl cut-out", (160, 120), "Non-Color")
    assert mask.packed_file is not None
    assert picture.hi3dgen_cutout == mask
    again = module("scene.pictures").pixels_of(mask)
    np.testing.assert_array_equal(again[..., 0], mask_with(LEFT))
    np.testing.assert_array_equal(again[..., 0], again[..., 2])
    painted_on = module("scene.masks").keep(picture, mask_with(RIGHT))
    assert painted_on != mask, "the earlier one may have been painted on"


def test_a_mask_stays_in_the_file(scene: Any, tmp_path: Path) -> None:
    picture = scene.hi3dgen.picture = two_boxes("owl.png")
    picture.pack()
    module("scene.masks").keep(picture, mask_with(LEFT))
    path = str(tmp_path / "owl.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    mask = bpy.context.scene.hi3dgen.picture.hi3dgen_cutout
    np.testing.assert_array_equal(module("scene.pictures").pixels_of(mask)[..., 0], mask_with(LEFT))


def test_no_mask_is_lost_when_another_takes_its_place(scene: Any, tmp_path: Path) -> None:
    picture = scene.hi3dgen.picture = two_boxes("owl.png")
    picture.pack()
    former = module("scene.masks").keep(picture, mask_with(LEFT)).name
    module("scene.masks").keep(picture, mask_with(RIGHT))
    path = str(tmp_path / "owl.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.open_mainfile(filepath=path)
    pixels_of = module("scene.pictures").pixels_of
    np.testing.assert_array_equal(pixels_of(bpy.data.images[former])[..., 0], mask_with(LEFT))
    mask = bpy.context.scene.hi3dgen.picture.hi3dgen_cutout
    np.testing.assert_array_equal(pixels_of(mask)[..., 0], mask_with(RIGHT))


def test_a_photo_on_its_side_gives_the_mesh_of_the_upright_one(
    scene: Any, session: Any, strokes: Any, tmp_path: Path
) -> None:
    upright = Image.fromarray(module("scene.pictures").pixels_of(two_boxes())[..., :3])
    upright.save(tmp_path / "upright.png")
    exif = Image.Exif()
    exif[274] = 6
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "lying.png", exif=exif.tobytes())

    def made(name: str, line: list[tuple[float, float]]) -> tuple[Any, Any, Any]:
        picture = scene.hi3dgen.picture = bpy.data.images.load(str(tmp_path / name))
        drawing = module("cutout.drawing").begin(picture, "draft", {"resolution": 128})
        answered(session, drawing)
        drawing.current = strokes.Stroke(keep=False, radius=3.3, points=line)
        drawing.end_stroke()
        mask = module("scene.masks").keep(picture, answered(session, drawing))
        bpy.ops.hi3dgen.generate()
        thing = bpy.context.object
        assert set(thing["hi3dgen"]["inputs"]) == {"picture", "own_cutout"}
        assert seen_at(thing).max() < 60 / 160, "nothing of the right box"
        return vertices_of(thing), seen_at(thing), module("scene.pictures").pixels_of(mask)

    line = [(110.2, 60.3), (135.4, 60.3)]
    expected = made("upright.png", line)
    turned = made("lying.png", [(y, 160.0 - x) for x, y in line])
    for one, other in zip(turned, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_the_next_render_replaces_has_no_mask(scene: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bpy.ops.mesh.primitive_uv_sphere_add()
    bpy.ops.object.camera_add(location=(0, -4, 0), rotation=(np.pi / 2, 0, 0))
    scene.camera = bpy.context.object
    scene.render.engine = "CYCLES"
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    scene.render.film_transparent = True
    scene.render.resolution_x = scene.render.resolution_y = 96
    bpy.ops.render.render()
    render = scene.hi3dgen.picture = bpy.data.images["Render Result"]
    render.hi3dgen_cutout = image_of(disc(), "of the last render")
    operators = module("ui.cutout_operators")
    monkeypatch.setattr(operators.runtime, "has_window", lambda: True)
    assert operators.why_not(bpy.context) == ""
    assert operators.why_not_drawn(bpy.context) == "Save the render as an image first"
    monkeypatch.undo()
    assert set(operators.look_at(scene, render).request.inputs) == {"picture"}
    bpy.ops.hi3dgen.generate()
    assert set(bpy.context.object["hi3dgen"]["inputs"]) == {"picture"}


def test_generate_takes_the_pictures_mask(scene: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    module("scene.masks").keep(picture, mask_with(RIGHT))
    bpy.ops.hi3dgen.generate()
    thing = bpy.context.object
    assert set(thing["hi3dgen"]["inputs"]) == {"picture", "own_cutout"}
    assert seen_at(thing).min() > 100 / 160, "nothing of the left box"


def test_generate_takes_the_mask_that_a_script_names(scene: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    module("scene.masks").keep(picture, mask_with(RIGHT))
    other = image_of(np.dstack([mask_with(LEFT)] * 3 + [np.full((120, 160), 255, np.uint8)])[::2, ::2], "half the size")
    bpy.ops.hi3dgen.generate(cutout=other.name)
    assert seen_at(bpy.context.object).max() < 60 / 160, "nothing of the right box"
    with pytest.raises(RuntimeError, match="no image “nobody”"):
        bpy.ops.hi3dgen.generate(cutout="nobody")


def test_a_file_that_a_script_names_has_no_mask(scene: Any, picture_file: Path) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    module("scene.masks").keep(picture, mask_with(RIGHT))
    bpy.ops.hi3dgen.generate(filepath=str(picture_file))
    assert set(bpy.context.object["hi3dgen"]["inputs"]) == {"picture"}


def test_a_mask_of_another_shape_is_refused_in_a_sentence(scene: Any) -> None:
    picture = scene.hi3dgen.picture = two_boxes()
    picture.hi3dgen_cutout = image_of(disc(), "round")
    with pytest.raises(RuntimeError, match="does not have the shape of the picture"):
        bpy.ops.hi3dgen.generate()


def test_whoever_looks_at_a_mask_means_its_picture(scene: Any) -> None:
    masks = module("scene.masks")
    picture = two_boxes()
    mask = masks.keep(picture, mask_with(RIGHT))
    assert module("scene.active").pictured(mask) == picture
    assert module("scene.active").pictured(picture) == picture


def seen_at(thing: Any) -> NDArray[Any]:
    """Where in the picture's width the mesh was seen, from 0 to 1."""
    mesh = thing.data
    assert len(vertices_of(thing))
    uv = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers["UVMap"].uv.foreach_get("vector", uv)
    return uv[::2]
