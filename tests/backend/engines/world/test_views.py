# SPDX-License-Identifier: GPL-3.0-or-later
"""Views go from the known to the unknown, cover the sphere, and are blended in without an edge."""

from typing import Any

import numpy as np
import pytest

from backend.engines.world.continuing import continued
from backend.engines.world.placing import Placed, placed
from backend.engines.world.sphere import View, directions, looked_up, ways_of
from backend.engines.world.views import VIEWS, Canvas, blend, canvas_of, next_of, seen, unknown_of
from backend.raster.colour import linear_to_srgb
from backend.raster.ticks import unwatched as unpolled
from tests.backend.engines.world.scenes import outdoors, unwatched

SIDE = 48


def canvas(**settings: Any) -> Canvas:
    made = placed(outdoors(), **{"fov": 60.0, "pitch": 0.0, "width": "256"} | settings, report=unwatched)
    assert isinstance(made, Placed)
    return canvas_of(made, continued(made, report=unwatched))


def tones(light: Any) -> Any:
    return np.rint(255 * linear_to_srgb(light.clip(0, 1))).astype(np.uint8)


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


def test_views_that_are_painted_as_it_is_each_in_its_own_tint_lead_to_the_whole_sphere() -> None:
    """A painter that knows the truth, and misses its brightness and tint by up to 15 %, as pipelines do."""
    height = 128
    ways = directions(height, slice(0, height))
    truth = 0.4 + 0.25 * np.sin(2 * ways + (0.3, 1.0, 2.0)) * np.cos(3 * ways[..., ::-1])
    truth = truth.astype(np.float32)
    picture = tones(looked_up(truth, ways_of(View(0.0, 0.0, 60.0), (40, 60))))
    opaque = np.dstack([picture, np.full(picture.shape[:2], 255, np.uint8)])
    placing = placed(opaque, fov=60.0, pitch=0.0, width=str(2 * height), report=unwatched)
    assert isinstance(placing, Placed)
    plain = continued(placing, report=unwatched)
    made = canvas_of(placing, plain)
    left, random = unknown_of(made, VIEWS), np.random.default_rng(7)
    while left:
        view = next_of(made, left)
        left.remove(view)
        tinted = looked_up(truth, ways_of(view, (SIDE, SIDE))) * random.uniform(0.85, 1.15, 3)
        blend(made, view, tones(tinted), unpolled)
    np.testing.assert_array_equal(made.light[placing.known], placing.light[placing.known])
    missed = np.abs(made.light - truth)
    assert missed.mean() < 0.02
    assert missed.mean() < np.abs(plain.light - truth).mean() / 5
    edges = np.abs(np.diff(made.light, axis=1)).max()
    assert edges < 2 * np.abs(np.diff(truth, axis=1)).max(), "nowhere is a step"


def test_only_what_is_not_certain_is_to_be_painted() -> None:
    made = canvas()
    _, mask = seen(made, VIEWS[0], SIDE)
    assert {*np.unique(mask)} == {0, 255}
    known = made.known_of(VIEWS[0])
    assert (mask == 0).mean() == pytest.approx(known, abs=0.05)
    blend(made, VIEWS[0], seen(made, VIEWS[0], SIDE)[0], unpolled)
    assert (seen(made, VIEWS[0], SIDE)[1] == 0).mean() > 0.6, "its rim is left to the next one"


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
