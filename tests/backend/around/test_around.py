# SPDX-License-Identifier: GPL-3.0-or-later
"""More pictures of an object: which camera took them, what is said of them, and where their colours come."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backend.around.camera import camera_of
from backend.around.colours import paint_sides
from backend.around.stages import BACK, LEFT, seen_from
from backend.engines import DRAFT, TOOLS
from backend.errors import UserError
from backend.flow.pipeline import Outcome, Pipeline
from backend.flow.products import Mesh, NormalMap, Noted, Picture
from backend.flow.request import Request
from backend.flow.stage import Stage
from backend.raster.render import render
from backend.texture.cloud import Cloud, scatter
from backend.texture.fit import POINTS, angle_between
from backend.texture.lens import Pose
from backend.upscale.stages import UPSCALED
from tests.backend.texture.photographs import as_cutout, box, camera_at, joined, photographed, thing
from tests.backend.texture.shapes import nothing
from tests.backend.vase import Notes, mesh_of, run_one

SQUARE = (160, 160)
ORANGE, BLUE = (220, 120, 20), (20, 60, 200)


def pictured(mesh: Mesh, azimuth: float, elevation: float) -> NormalMap:
    return photographed(mesh, camera_at(azimuth, elevation, 4.0, 28.0, (0.0, 0.05, 0.4)), SQUARE)[1]


def cloud_of(mesh: Mesh) -> Cloud:
    return scatter(mesh.vertices, mesh.triangles, POINTS)


def egg(colour: tuple[int, int, int], *, turned: bool = False) -> Picture:
    """An egg that lies askew; turned: as it is seen from behind."""
    y, x = np.mgrid[:96, :96] - 47.5
    y, x = y + 0.5 * x, x - 0.2 * y
    picture = np.zeros((96, 96, 4), np.uint8)
    picture[..., :3] = colour
    picture[..., 3] = np.where((x / (34 + 0.25 * y)) ** 2 + (y / 40) ** 2 < 1, 255, 0)
    return picture[:, ::-1].copy() if turned else picture


def stick() -> Picture:
    picture = np.zeros((96, 96, 4), np.uint8)
    picture[8:88, 44:50] = (*BLUE, 255)
    return picture


@pytest.fixture(scope="module")
def made() -> Callable[..., Outcome]:
    """The outcome of an orange egg and of more pictures, by one pipeline, which keeps what they share."""
    pipeline = Pipeline({"draft": DRAFT})

    def make(**pictures: Picture) -> Outcome:
        request = Request({"picture": egg(ORANGE), **pictures}, settings={"resolution": 96, "faces": 2000})
        return run_one(pipeline, request, Notes())

    return make


def share_of_blue(outcome: Outcome, angle: float) -> float:
    """How much of what is seen of the mesh is rather blue than orange; angle: by which it is turned."""
    seen = render(mesh_of(outcome), angle, 64, coloured=True).astype(np.float64)
    return float((seen[..., 2] > seen[..., 0])[seen[..., 3] > 0].mean())


def test_the_camera_of_a_picture_is_found_near_its_side() -> None:
    cloud = cloud_of(thing())
    for side, azimuth, elevation in ((BACK, 170.0, 25.0), (LEFT, -80.0, 10.0)):
        found = camera_of(cloud, side, pictured(thing(), azimuth, elevation), 15.0, nothing)
        assert found is not None
        assert found.agrees
        assert angle_between(found.camera.pose, Pose(azimuth, elevation)) < 6


def test_a_picture_of_something_else_does_not_agree() -> None:
    bar = joined([box((-0.06, -0.06, 0.0), (0.06, 0.06, 1.0))])
    found = camera_of(cloud_of(thing()), BACK, pictured(bar, 180.0, 10.0), 15.0, nothing)
    assert found is not None
    assert not found.agrees
    empty = NormalMap(np.zeros((8, 8, 3), np.float32), np.zeros((8, 8), np.float32))
    assert camera_of(cloud_of(thing()), BACK, empty, 15.0, nothing) is None


def test_what_is_said_of_a_picture_says_which_one_it_is() -> None:
    def cut(picture: str, *, report: Any) -> Noted:
        if picture == "empty":
            raise UserError("empty-cutout", "There is nothing.", "Use another.")
        return Noted(picture, ("It is faint.",))

    (normals,) = (stage for stage in DRAFT.stages if stage.name == "normals")
    foreground = Stage("foreground", "Cutting out", "cutout", ("picture",), (), cut, unless="strokes")
    first, *between, second = seen_from(BACK, foreground, UPSCALED, normals)
    assert [stage.makes for stage in between] == ["back_upscaled", "back", "back_cutout"]
    assert len({stage.name for stage in (first, *between, second)} - {BACK}) == 5
    assert between[-1].takes == ("back_cutout", "back", "back_upscaled")
    assert (first.takes, first.makes, first.when, first.unless) == (("back",), "back_cutout", "back", "")
    assert (second.takes, second.makes) == (("back_cutout",), "back_normal_map")
    assert first.run("faint", report=None) == Noted("faint", ("The picture from behind: It is faint.",))
    with pytest.raises(UserError, match="The picture from behind: There is nothing"):
        first.run("empty", report=None)


def test_pictures_are_inputs_of_the_engines_that_can_use_them_alone() -> None:
    assert {"back", "left", "right"} <= {*DRAFT.inputs}
    assert {"back", "left", "right"}.isdisjoint(TOOLS["texture"].inputs)


def test_the_back_is_coloured_by_its_picture_and_the_front_is_not(made: Callable[..., Outcome]) -> None:
    alone, both = made(), made(back=egg(BLUE, turned=True))
    assert both.notes == ()
    assert share_of_blue(alone, 180) == 0
    assert share_of_blue(both, 180) > 0.5
    assert share_of_blue(both, 0) == 0
    assert both.recipe["inputs"].keys() == {"picture", "back"}


def test_a_picture_whose_outline_is_another_is_not_used_and_said_so(made: Callable[..., Outcome]) -> None:
    alone, both = made(), made(back=stick())
    assert share_of_blue(both, 180) == 0
    told = [note.partition(" are needed to ")[2] for note in both.notes if "behind: Its outline" in note]
    assert told == ["shape the back.", "use its colours."]
    np.testing.assert_array_equal(mesh_of(both).vertices, mesh_of(alone).vertices)


def test_colours_that_mirror_the_front_leave_no_room_for_others() -> None:
    cutout = as_cutout(egg(ORANGE))
    found = paint_sides(thing(), cutout, colours="front", remove_light=False, report=lambda _step, _of: None)
    assert isinstance(found, Noted)
    assert "mirrors the front" in found.notes[0]
