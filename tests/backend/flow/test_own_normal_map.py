# SPDX-License-Identifier: GPL-3.0-or-later
"""The artist's own normal map in place of the estimated one: what is taken, what is refused."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.engines import DRAFT, ENGINES
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import NormalMap, Picture
from backend.normals import outline
from backend.normals.image import to_picture
from tests.backend.vase import edited_map, normals_of, request, vase, with_alpha


def angles(a: NormalMap, b: NormalMap) -> np.ndarray[Any, Any]:
    """Degrees between the normals of two maps, where the object is."""
    cosine = (a.normals * b.normals).sum(-1)[a.alpha > 0.5]
    return np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))


def by_outline() -> Pipeline:
    """A pipeline whose normals are the outline's: smooth, so that what resampling takes of them is little."""
    stages = [replace(stage, run=outline.estimate) if stage.name == "normals" else stage for stage in DRAFT.stages]
    return Pipeline({"draft": replace(DRAFT, stages=tuple(stages))})


def given_back(own: Picture, **changes: Any) -> NormalMap:
    return normals_of(Pipeline(ENGINES), request(normal_map=own, **changes))


@pytest.mark.parametrize("size", [(90, 70), (1020, 640), (43, 301)])
def test_the_estimated_map_comes_back_as_it_was_written(size: tuple[int, int]) -> None:
    """In pictures that are finer, coarser and much wider than the square in which the map was made."""
    picture = vase(*size)
    estimated = normals_of(by_outline(), request(picture=picture))
    written = with_alpha(to_picture(estimated))
    again = given_back(written, picture=picture)
    np.testing.assert_array_equal(again.alpha, estimated.alpha)
    apart = angles(estimated, again)
    assert np.median(apart) < 2.0
    assert np.percentile(apart, 90) < 15.0  # on the rim a normal is mixed with the white around it


def test_a_map_of_any_resolution_is_taken() -> None:
    estimated = normals_of(Pipeline(ENGINES), request())
    written = with_alpha(to_picture(estimated))
    finer = written.repeat(3, axis=0).repeat(3, axis=1)
    assert np.median(angles(estimated, given_back(finer))) < 3.0
    coarser = written[::2, ::2]
    assert np.median(angles(estimated, given_back(coarser))) < 6.0


@pytest.mark.parametrize("size", [(70, 90), (90, 90), (90, 75), (9, 1), (180, 146)])
def test_a_map_of_another_shape_is_refused(size: tuple[int, int]) -> None:
    own = np.full((*size, 4), (128, 128, 255, 255), np.uint8)
    with pytest.raises(UserError) as caught:
        given_back(own)
    assert caught.value.code == "bad-normal-map"
    assert f"{size[1]} x {size[0]}" in caught.value.sentence


def test_a_map_whose_blue_is_flipped_is_refused() -> None:
    estimated = normals_of(Pipeline(ENGINES), request())
    own = with_alpha(to_picture(estimated))
    own[..., 2] = 255 - own[..., 2]
    with pytest.raises(UserError) as caught:
        given_back(own)
    assert caught.value.code == "bad-normal-map"
    assert "blue" in caught.value.advice


def test_the_alpha_of_a_map_is_ignored() -> None:
    own = edited_map()
    clear = own.copy()
    clear[..., 3] = 0
    np.testing.assert_array_equal(given_back(own).normals, given_back(clear).normals)


def test_a_flat_map_makes_flat_normals() -> None:
    normal_map = given_back(np.full((90, 70, 4), (128, 128, 255, 255), np.uint8))
    inside = normal_map.normals[normal_map.alpha > 0.99]
    np.testing.assert_allclose(inside, np.tile([0.0, 0.0, 1.0], (len(inside), 1)), atol=0.01)


@pytest.mark.parametrize("colour", [(0, 0, 0), (255, 255, 255), (128, 128, 128), (255, 0, 255)])
def test_a_map_that_holds_no_normals_still_gives_unit_normals_or_a_refusal(colour: tuple[int, int, int]) -> None:
    try:
        normal_map = given_back(np.full((90, 70, 4), (*colour, 255), np.uint8))
    except UserError as error:
        refusal = error.code
    else:
        refusal = ""
        np.testing.assert_allclose(np.linalg.norm(normal_map.normals, axis=-1), 1.0, atol=1e-4)
    assert refusal == ("bad-normal-map" if colour == (0, 0, 0) else "")


def test_a_map_leaned_to_the_right_leans_the_normals_to_the_right() -> None:
    estimated = normals_of(Pipeline(ENGINES), request())
    leaned = given_back(edited_map())
    inside = estimated.alpha > 0.99
    assert np.median(leaned.normals[inside][:, 0] - estimated.normals[inside][:, 0]) > 0.05
