# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-outs of `cut_out_as_upstream` are the published ones, to the bit."""

import re
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.parity import golden
from tests.parity.formulas import evaluate

pytest.importorskip("PIL", reason="Pillow is not installed here: the extra hi3dgen has it")

from backend.arrays import Float32Array
from backend.engines.hi3dgen.foreground import SIDE, mask_by_birefnet, preprocess

Pixels = NDArray[np.uint8]


def no_mask(colours: Pixels) -> Pixels:
    raise AssertionError("the picture has an alpha of its own")


def opaque_picture(fixture: golden.Fixture) -> Pixels:
    """The picture uint8 (H, W, 3) that the JSON writes as `WxH=…, pixel[y,x,c]=…`."""
    said = re.search(r"WxH=(\d+)x(\d+).*?pixel\[y,x,c\]\s*=\s*(.*)", fixture.facts["opaque_image"])
    assert said
    y, x, c = np.meshgrid(np.arange(int(said[2])), np.arange(int(said[1])), np.arange(3), indexing="ij")
    return evaluate(said[3], {"x": x, "y": y, "c": c}).astype(np.uint8)


def mask_network(fixture: golden.Fixture) -> Float32Array:
    """The log-odds float32 (1024, 1024) that the JSON writes as `logits[y,x] = …, X,Y = linspace(…,1024)`."""
    said = re.search(r"logits\[y,x\] = (.*?), *X, *Y = linspace\((.*?),(.*?),(.*?)\)", fixture.facts["birefnet_stub"])
    assert said
    assert int(said[4]) == SIDE
    along = np.linspace(float(said[2]), float(said[3]), SIDE, dtype=np.float32)
    y, x = np.meshgrid(along, along, indexing="ij")
    logits = evaluate(said[1], {"X": x, "Y": y})
    assert logits.dtype == np.float32
    return logits


@golden.each("preprocess_image")
def test_a_picture_with_alpha(path: Path) -> None:
    fixture = golden.read(path)
    cases = [name for name in fixture.outputs if name.endswith(".rgba") and fixture.has_input(name)]
    assert cases
    for case in cases:
        size = fixture.facts["resolution"][case.removesuffix(".rgba")]
        found = preprocess(fixture.input(case).numpy(), size, no_mask)
        np.testing.assert_array_equal(found.pixels, fixture.output(case).numpy())


@golden.each("preprocess_image")
@pytest.mark.parametrize("channels", [3, 4])
def test_an_opaque_picture(path: Path, channels: int) -> None:
    fixture = golden.read(path)
    opaque = opaque_picture(fixture)
    picture = np.full((*opaque.shape[:2], channels), 255, np.uint8)
    picture[..., :3] = opaque
    seen: list[Float32Array] = []

    def logits(shown: Float32Array) -> Float32Array:
        seen.append(shown)
        return mask_network(fixture)

    def mask_of(colours: Pixels) -> Pixels:
        assert max(colours.shape) == min(SIDE, max(opaque.shape))
        return mask_by_birefnet(colours, logits)

    found = preprocess(picture, fixture.facts["resolution"]["opaque"], mask_of)
    strided = [name for name in fixture.outputs if name.startswith("opaque.birefnet_input_stride")]
    for name in strided:
        step = int(name.rpartition("stride")[2])
        np.testing.assert_allclose(seen[0][0, :, ::step, ::step], fixture.output(name).numpy(), rtol=0, atol=1e-6)
    np.testing.assert_array_equal(found.pixels, fixture.output("opaque.rgba").numpy())


@golden.each("preprocess_image")
def test_a_picture_without_an_object(path: Path) -> None:
    fixture = golden.read(path)
    expected = fixture.facts["empty_mask_result"]
    found = preprocess(opaque_picture(fixture), 64, lambda colours: np.zeros(colours.shape[:2], np.uint8))
    height, width, channels = found.pixels.shape
    assert [width, height] == expected["size"]
    assert channels == len(expected["mode"])
    assert found.square is None
