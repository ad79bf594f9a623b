# SPDX-License-Identifier: GPL-3.0-or-later
"""Composites show an object on a ground, with its true outline, and cut-outs are measured on them."""

import numpy as np
import pytest

pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")

from backend.training.cutouts.composites import KINDS, composite
from backend.training.cutouts.evaluation import PANEL, judge, shown


@pytest.mark.parametrize("kind", KINDS)
def test_a_composite_is_a_function_of_its_number_and_its_outline_is_the_objects(kind: str) -> None:
    one, again, other = (composite(kind, 3, index, 96) for index in (0, 0, 1))
    np.testing.assert_array_equal(one.picture, again.picture)
    assert not np.array_equal(one.picture, other.picture)
    assert one.picture.shape == (96, 96, 4)
    assert 0.02 < one.body.mean() < 0.9
    if kind != "close":
        assert one.body[-1].any() == (kind == "cut off")
        assert not one.body[0].any()


def test_contact_darkens_the_ground() -> None:
    darker: list[float] = []
    for index in range(6):
        made = composite("plain", 4, index, 96)
        rows = np.flatnonzero(made.body.any(axis=1))
        light = made.picture[..., :3].mean(axis=2)
        below = light[min(95, rows[-1] + 2)][~made.body[min(95, rows[-1] + 2)]]
        darker.append(float(np.median(light[:4]) - below.min()))
    assert np.median(darker) > 8


def test_a_right_cut_out_has_an_overlap_of_one_and_a_refused_one_none() -> None:
    y, x = np.mgrid[:120, :120]
    body = np.hypot(x - 60, y - 60) < 35
    picture = np.full((120, 120, 4), 255, np.uint8)
    picture[body, :3] = (200, 40, 30)
    score = judge(picture, body)
    assert score.overlap > 0.97
    assert not score.doubted
    assert shown(picture, body, score).shape == (PANEL, 2 * PANEL, 3)
    refused = judge(np.full((120, 120, 4), 255, np.uint8), body)
    assert np.isnan(refused.overlap)
    assert refused.doubted
