# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal maps that belong to their outline, and those that do not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.arrays import Float32Array
from backend.engines import ENGINES
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import NormalMap
from backend.normals.image import to_picture
from backend.normals.plausible import fit, made_plausible
from tests.backend.vase import Notes, normals_of, request, run_one, with_alpha

SIDE = 128


def egg(wide: float = 0.8, high: float = 0.6, turn: float = 0.4) -> NormalMap:
    """Return an egg's normals: wide, high: its half axes, in halves of the square; turn: in radians."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / (SIDE / 2) - 1
    along, across = (x * np.cos(turn) - y * np.sin(turn)) / wide, (x * np.sin(turn) + y * np.cos(turn)) / high
    inside = along**2 + across**2 < 1
    z = np.sqrt(np.maximum(1 - along**2 - across**2, 0))
    a, b = along / wide, across / high
    normals = np.dstack([a * np.cos(turn) + b * np.sin(turn), a * np.sin(turn) - b * np.cos(turn), z / 0.7])
    normals[~inside] = (0, 0, 1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return NormalMap(normals.astype(np.float32), inside.astype(np.float32))


def times(normal_map: NormalMap, *signs: int) -> NormalMap:
    return NormalMap(normal_map.normals * np.array(signs, np.float32), normal_map.alpha)


@settings(max_examples=50, deadline=None)
@given(st.floats(0.3, 0.9), st.floats(0.3, 0.9), st.floats(0, 3.14))
def test_a_body_fits_its_outline_and_a_flipped_axis_is_turned_back(wide: float, high: float, turn: float) -> None:
    right = egg(wide, high, turn)
    assert min(fit(right.normals, right.alpha)[0]) > 0.8
    assert made_plausible(right) == (right, ())
    for signs, colour in (((1, -1, 1), "green"), ((-1, 1, 1), "red")):
        turned, notes = made_plausible(times(right, *signs))
        np.testing.assert_array_equal(turned.normals, right.normals)
        assert len(notes) == 1
        assert colour in notes[0]


def test_a_hollow_body_stays_and_is_doubted() -> None:
    hollow = times(egg(), -1, -1, 1)
    stays, notes = made_plausible(hollow)
    assert stays is hollow
    assert "inwards" in notes[0]


def test_swapped_channels_are_refused() -> None:
    right = egg(turn=0.0)
    with pytest.raises(UserError) as caught:
        made_plausible(NormalMap(right.normals[..., [1, 0, 2]], right.alpha))
    assert caught.value.code == "bad-normal-map"


def waves(steepness: float) -> Float32Array:
    y, x = np.mgrid[:SIDE, :SIDE] / 5
    normals = np.dstack([steepness * np.sin(x + 0.3 * y), steepness * np.sin(y), np.ones_like(x)])
    return (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize(
    "normals",
    [
        np.broadcast_to(np.array([0, 0, 1], np.float32), (SIDE, SIDE, 3)),
        np.broadcast_to(np.array([0.6, -0.48, 0.64], np.float32), (SIDE, SIDE, 3)),
        waves(0.4),
    ],
    ids=["flat", "flat and leaning", "a tile with a relief"],
)
def test_flat_things_and_reliefs_stay_as_they_are(normals: Float32Array) -> None:
    card = np.zeros((SIDE, SIDE), np.float32)
    card[20:100, 30:110] = 1
    normal_map = NormalMap(normals, card)
    assert made_plausible(normal_map) == (normal_map, ())


def test_an_outline_without_a_pixel_inside_says_nothing() -> None:
    thin = NormalMap(egg().normals, np.full((SIDE, SIDE), 0.6, np.float32))
    assert made_plausible(thin) == (thin, ())


@pytest.mark.parametrize(("channel", "colour"), [(0, "red"), (1, "green")])
def test_a_job_with_a_flipped_map_makes_the_same_and_says_so(channel: int, colour: str) -> None:
    body = egg()
    picture = np.dstack([to_picture(body), np.rint(255 * body.alpha)]).astype(np.uint8)
    written = with_alpha(np.rint((body.normals + 1) * 127.5).astype(np.uint8))
    flipped = written.copy()
    flipped[..., channel] = 255 - flipped[..., channel]
    pipeline = Pipeline(ENGINES)
    right = normals_of(pipeline, request(picture=picture, normal_map=written))
    outcome = run_one(pipeline, request(picture=picture, normal_map=flipped), Notes())
    inside = right.alpha > 0.99  # on the rim a normal may be mixed with white
    np.testing.assert_allclose(outcome.products["normal_map"].normals[inside], right.normals[inside], atol=0.02)
    assert any(colour in note for note in outcome.notes)
