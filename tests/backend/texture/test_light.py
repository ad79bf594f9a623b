# SPDX-License-Identifier: GPL-3.0-or-later
"""The light is found from colours and normals, and taken out of the colours."""

import numpy as np

from backend.arrays import BoolArray, Float32Array
from backend.texture.light import GREYS, fit, harmonics, materials, shade

SIDE = 96


def lit_ball(light: tuple[float, ...]) -> tuple[Float32Array, Float32Array, BoolArray, Float32Array]:
    """Base colours, their linear picture under a light, the mask and the normals of a ball of two materials."""
    y, x = np.mgrid[1 : -1 : SIDE * 1j, -1 : 1 : SIDE * 1j]
    inside = x**2 + y**2 < 0.95
    z = np.sqrt(np.clip(1 - x**2 - y**2, 0, None))
    normals = np.where(inside[..., None], np.stack([x, y, z], axis=-1), (0, 0, 1)).astype(np.float32)
    base = np.where((x > 0)[..., None], (0.6, 0.1, 0.1), (0.1, 0.2, 0.6)).astype(np.float32)
    brightness = harmonics(normals.astype(np.float64)) @ np.array(light)
    return base, (base * brightness[..., None]).astype(np.float32), inside, normals


def test_even_light_stays_even() -> None:
    _, picture, inside, normals = lit_ball((1, 0, 0, 0, 0, 0, 0, 0, 0))
    np.testing.assert_allclose(shade(fit(picture, normals, inside), normals)[inside], 1.0, atol=0.03)


def test_a_lamp_from_above_is_taken_out() -> None:
    base, picture, inside, normals = lit_ball((0.9, 0.3, 0, 0.15, 0, 0, 0, 0, 0))
    found = picture / shade(fit(picture, normals, inside), normals)[..., None]

    def spread(colours: Float32Array) -> float:
        """How much each material varies, over its mean."""
        halves = [colours[inside & (base[..., 0] > 0.3)], colours[inside & (base[..., 0] < 0.3)]]
        return float(np.mean([half.sum(axis=1).std() / half.sum(axis=1).mean() for half in halves]))

    assert spread(found) < 0.5 * spread(picture)


def test_a_few_pixels_and_black_ones_say_nothing_about_the_light() -> None:
    _, picture, inside, normals = lit_ball((0.9, 0.3, 0, 0, 0, 0, 0, 0, 0))
    few = np.zeros_like(inside)
    few[40:44, 40:44] = inside[40:44, 40:44]
    np.testing.assert_array_equal(fit(picture, normals, few), np.eye(9)[0])
    np.testing.assert_array_equal(fit(np.zeros_like(picture), normals, inside), np.eye(9)[0])


def test_a_red_that_pales_is_one_material_beside_others() -> None:
    red = np.linspace((0.62, 0.06, 0.05), (0.55, 0.12, 0.09), 200)
    others = np.repeat([(0.79, 0.27, 0.55), (0.70, 0.65, 0.83), (0.78, 0.83, 0.04)], 100, axis=0)
    found = materials(np.concatenate([red, others]))
    assert len(np.unique(found[:200])) == 1
    assert len(np.unique(found)) == 4, "the others stay apart"


def test_black_and_white_are_two_materials_if_lightness_counts() -> None:
    pixels = np.repeat([[0.01, 0.01, 0.01], [0.9, 0.9, 0.9]], 50, axis=0)
    assert len(np.unique(materials(pixels))) == 1
    assert len(np.unique(materials(pixels, GREYS))) == 2
