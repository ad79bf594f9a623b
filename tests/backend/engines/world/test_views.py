# SPDX-License-Identifier: GPL-3.0-or-later
"""Views go from the known to the unknown, cover the sphere, and are blended in without an edge."""

from typing import Any

import numpy as np
import pytest

from backend.engines.world.continuing import continued
from backend.engines.world.placing import Placed, placed
from backend.engines.world.views import VIEWS, Canvas, blend, canvas_of, next_of, seen, unknown_of
from backend.raster.ticks import unwatched as unpolled
from tests.backend.engines.world.scenes import outdoors, unwatched

SIDE = 48


def canvas(**settings: Any) -> Canvas:
    made = placed(outdoors(), **{"fov": 60.0, "pitch": 0.0, "width": "256"} | settings, report=unwatched)
    assert isinstance(made, Placed)
    return canvas_of(made, continued(made, report=unwatched))


@pytest.mark.parametrize("settings", [{}, {"fov": 30.0}, {"fov": 120.0}, {"pitch": 60.0}])
def test_each_view_sees_something_known_and_together_they_see_all(settings: dict[str, Any]) -> None:
    made = canvas(**settings)
    left = unknown_of(made, VIEWS)
    known: list[float] = []
    while left:
        view = next_of(made, left)
        left.remove(view)
        known.append(made.known_of(view))
        blend(made, view, seen(made, view, SIDE)[0], unpolled)
    assert known[0] > 0.04, "it sees the picture"
    assert min(known[1:]) > 0.1
    assert made.certainty.min() > 0.95
    assert made.certainty.max() < 1 + 1e-5


def test_the_seam_behind_is_closed_by_a_view_that_sees_both_sides() -> None:
    made = canvas()
    order: list[float] = []
    left = [view for view in VIEWS if view.pitch == 0]
    while left:
        view = next_of(made, left)
        left.remove(view)
        order.append(view.yaw)
        blend(made, view, seen(made, view, SIDE)[0], unpolled)
    assert order[0] == 0
    assert order[-1] == 180


def test_the_picture_stays_and_what_is_painted_wrong_is_moved_to_its_colours() -> None:
    made = canvas()
    before, known = made.light.copy(), made.certainty == 1
    picture, mask = seen(made, VIEWS[0], SIDE)
    assert set(np.unique(mask)) == {0, 255}
    reddish = np.clip(picture + np.array((20, -10, -10)), 0, 255).astype(np.uint8)
    blend(made, VIEWS[0], reddish, unpolled)
    np.testing.assert_array_equal(made.light[known], before[known])
    new = (made.certainty > 0.9) & ~known
    assert new.any()
    assert np.abs(made.light[new] - before[new]).mean() < 0.03, "what was missed everywhere is taken away everywhere"


def test_what_is_painted_is_what_is_seen_afterwards() -> None:
    made = canvas()
    view = VIEWS[7]  # behind, where nothing is known
    painted = np.zeros((SIDE, SIDE, 3), np.uint8)
    painted[:, : SIDE // 2] = 200
    blend(made, view, painted, unpolled)
    inner = slice(SIDE // 6, SIDE - SIDE // 6)
    now = seen(made, view, SIDE)[0][inner, inner].astype(int)
    far = np.ones(now.shape[1], bool)
    far[now.shape[1] // 2 - 2 : now.shape[1] // 2 + 2] = False
    assert np.abs(now - painted[inner, inner])[:, far].max() <= 2
