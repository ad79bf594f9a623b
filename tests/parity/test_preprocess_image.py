# SPDX-License-Identifier: GPL-3.0-or-later
"""The upstream way to a cut-out is upstream's to the bit."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.parity import fixtures

pytest.importorskip("PIL", reason="Pillow is not installed here: the extra hi3dgen has it")

from backend.engines.hi3dgen.foreground import SIDE, mask_by_birefnet, preprocess

Pixels = NDArray[np.uint8]
Float32Array = NDArray[np.float32]


def no_mask(colours: Pixels) -> Pixels:
    raise AssertionError("the picture has an alpha of its own")


def opaque_picture() -> Pixels:
    """The formula in the fixture's JSON."""
    y, x, c = np.meshgrid(np.arange(900), np.arange(1300), np.arange(3), indexing="ij")
    return ((3 * x + 5 * y + 40 * c) % 256).astype(np.uint8)


def ellipse(seen: Float32Array) -> Float32Array:
    """The network's stand-in in the fixture's JSON."""
    y, x = np.meshgrid(*[np.linspace(-1, 1, SIDE, dtype=np.float32)] * 2, indexing="ij")
    return np.float32(8) * (np.float32(0.36) - ((x - 0.1) ** 2 / np.float32(0.6) + (y + 0.15) ** 2))


@fixtures.each("preprocess_image")
@pytest.mark.parametrize("case", ["soft", "clamped"])
def test_a_picture_with_alpha(path: Path, case: str) -> None:
    fixture = fixtures.read(path)
    found = preprocess(fixture.input(f"{case}.rgba").numpy(), fixture.facts["resolution"][case], no_mask)
    np.testing.assert_array_equal(found.pixels, fixture.output(f"{case}.rgba").numpy())


@fixtures.each("preprocess_image")
@pytest.mark.parametrize("channels", [3, 4])
def test_an_opaque_picture(path: Path, channels: int) -> None:
    fixture = fixtures.read(path)
    seen: list[Float32Array] = []

    def mask_of(colours: Pixels) -> Pixels:
        assert max(colours.shape) == 1024
        return mask_by_birefnet(colours, lambda shown: [seen.append(shown), ellipse(shown)][1])

    picture = np.full((900, 1300, channels), 255, np.uint8)
    picture[..., :3] = opaque_picture()
    found = preprocess(picture, fixture.facts["resolution"]["opaque"], mask_of)
    strided = fixture.output("opaque.birefnet_input_stride64").numpy()
    np.testing.assert_allclose(seen[0][0, :, ::64, ::64], strided, rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.pixels, fixture.output("opaque.rgba").numpy())


@fixtures.each("preprocess_image")
def test_a_picture_without_an_object(path: Path) -> None:
    expected = fixtures.read(path).facts["empty_mask_result"]
    found = preprocess(opaque_picture(), 64, lambda colours: np.zeros(colours.shape[:2], np.uint8))
    height, width, channels = found.pixels.shape
    assert [width, height] == expected["size"]
    assert channels == len(expected["mode"])
    assert found.square is None
