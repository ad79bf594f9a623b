# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of a folder come framed anew, whole, and with the normals that belong to them."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytest.importorskip("PIL", reason="Pillow is not installed here: the extra training has it")

from PIL import Image

from backend.errors import UserError
from backend.files.pictures import read_picture
from backend.training.normals.folder import Pictures, names
from tests.backend.training.normals.toy import ellipsoids


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five ellipsoids of 96 pixels, each in a grey of its own, the third cut to a portrait."""
    place = tmp_path_factory.mktemp("pictures")
    made = ellipsoids(3, 0, 96)
    for part in ("images", "mask", "normals"):
        (place / part).mkdir()
    for index in range(5):
        columns = slice(12, 84) if index == 2 else slice(None)
        stored = np.rint((made.normals[index] + 1) * 127.5).astype(np.uint8)
        grey = np.full((96, 96, 3), 20 + 40 * index, np.uint8)
        parts = {"images": grey, "mask": made.rgba[index, ..., 3], "normals": stored}
        for part, pixels in parts.items():
            Image.fromarray(np.ascontiguousarray(pixels[:, columns])).save(place / part / f"{index}.png")
    return place


def pictures(folder: Path, count: int = 4) -> Pictures:
    return Pictures(folder, names(folder), read_picture, count)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 2**40), size=st.sampled_from([32, 48, 64]))
def test_every_frame_holds_the_whole_object_and_its_normals(folder: Path, seed: int, index: int, size: int) -> None:
    block = pictures(folder)(seed, index, size)
    assert block.rgba.shape == (4, size, size, 4)
    assert block.rgba.dtype == np.uint8
    assert block.normals.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(block.normals[block.mask], axis=1), 1, atol=1e-3)
    assert not block.normals[~block.mask].any()
    for mask, normals in zip(block.mask, block.normals, strict=True):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        longer = max(np.ptp(rows), np.ptp(columns)) + 1
        assert size / 1.5 - 2 <= longer <= size / 1.05 + 2
        # An ellipsoid leans to the left on its left and to the right on its right, wherever the frame is.
        middle = (columns[0] + columns[-1]) / 2
        across = np.arange(size)[None, :] - middle
        assert np.corrcoef(normals[..., 0][mask], np.broadcast_to(across, mask.shape)[mask])[0, 1] > 0.7


def test_a_block_is_the_same_again_and_no_picture_comes_twice_before_all_came_once(folder: Path) -> None:
    one, again, other = pictures(folder, 5)(7, 3, 32), pictures(folder, 5)(7, 3, 32), pictures(folder, 5)(8, 3, 32)
    np.testing.assert_array_equal(one.rgba, again.rgba)
    assert not np.array_equal(one.rgba, other.rgba)
    assert {int(np.median(rgba[mask, 0])) for rgba, mask in zip(one.rgba, one.mask, strict=True)} == {
        20 + 40 * index for index in range(5)
    }


def test_a_picture_without_an_object_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    for part in ("images", "mask", "normals"):
        (tmp_path / part).mkdir()
        Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(tmp_path / part / "nothing.png")
    with pytest.raises(UserError, match=r"mask of nothing\.png is empty"):
        pictures(tmp_path)(1, 0, 32)
