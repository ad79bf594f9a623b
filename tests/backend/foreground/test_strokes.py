# SPDX-License-Identifier: GPL-3.0-or-later
"""An artist's strokes correct a cut-out near them, as far as the picture is smooth, and nothing else."""

import numpy as np
import pytest

from backend.arrays import BoolArray
from backend.errors import UserError
from backend.flow.products import Picture
from backend.foreground.cut_out import cut_out
from backend.raster.resample import paste_back

SIDE = 256
Y, X = np.mgrid[:SIDE, :SIDE]
BALL = np.hypot(X - 90, Y - 128) < 50
CUBE = (abs(X - 190) < 35) & (abs(Y - 128) < 35)


def ignore(_step: int, _of: int) -> None:
    """Watch nothing."""


def scene(alpha: BoolArray | None = None) -> Picture:
    """Return a red ball and a blue cube on white."""
    picture = np.full((SIDE, SIDE, 4), 255, np.uint8)
    picture[BALL, :3], picture[CUBE, :3] = (190, 60, 50), (50, 70, 180)
    if alpha is not None:
        picture[..., 3] = np.where(alpha, 255, 0)
    return picture


def strokes(side: int = SIDE, **marks: tuple[int, int]) -> Picture:
    """Return strokes of 20 pixels across, keep=(x, y) white and drop=(x, y) black, in a picture of any size."""
    places = (np.mgrid[:side, :side] + 0.5) * SIDE / side
    drawn = np.zeros((side, side, 4), np.uint8)
    for name, (x, y) in marks.items():
        there = np.hypot(places[1] - x, places[0] - y) < 10
        drawn[there] = (255, 255, 255, 255) if name.startswith("keep") else (0, 0, 0, 255)
    return drawn


def found(picture: Picture, marks: Picture | None) -> BoolArray:
    cutout = cut_out(picture, SIDE, ignore, [], marks)
    return paste_back(cutout.rgba[..., 3:].astype(np.float32), cutout.crop)[..., 0] > 127


def overlap(one: BoolArray, other: BoolArray) -> float:
    return float((one & other).sum() / (one | other).sum())


@pytest.mark.parametrize("side", [SIDE, 100, 700])
def test_what_is_marked_to_go_goes_and_the_rest_stays(side: int) -> None:
    assert overlap(found(scene(), None), BALL | CUBE) > 0.97
    assert overlap(found(scene(), strokes(side, drop=(190, 128))), BALL) > 0.97


def test_what_is_marked_to_stay_comes_back() -> None:
    hidden = scene(BALL)
    assert overlap(found(hidden, None), BALL) > 0.97
    assert overlap(found(hidden, strokes(keep=(190, 128))), BALL | CUBE) > 0.97


def test_strokes_alone_cut_an_object_out_of_any_background() -> None:
    picture = scene()
    picture[..., :3][~(BALL | CUBE)] = np.where((X // 16 + Y // 16)[~(BALL | CUBE)][:, None] % 2, 20, 230)
    ground = {f"drop{number}": (x, y) for number, (x, y) in enumerate([(20, 20), (235, 20), (20, 235), (130, 235)])}
    marks = strokes(keep=(90, 128), **ground)
    assert found(picture, marks)[BALL].mean() > 0.9
    assert not found(picture, marks)[:16, :16].any()


def test_strokes_over_another_frame_are_refused() -> None:
    with pytest.raises(UserError, match="do not have the shape"):
        found(scene(), strokes()[:100])


def test_strokes_that_leave_nothing_are_refused_with_a_sentence() -> None:
    with pytest.raises(UserError, match="leave no object"):
        found(scene(), strokes(drop_ball=(90, 128), drop_cube=(190, 128)))
