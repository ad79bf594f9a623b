# SPDX-License-Identifier: GPL-3.0-or-later
"""What the sheet network sees is finite and sized by the object; the weights that ship work, others are refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.arrays import BoolArray, Float32Array
from backend.geometry.features import CHANNELS, SIDE, H, Z, see
from backend.geometry.network import WEIGHTS, load, predict
from backend.raster.matmul import by_matmul


def ignore() -> None:
    """Watch nothing."""


@given(
    hnp.arrays(np.float32, (16, 16, 3), elements=st.floats(width=32)),
    hnp.arrays(np.bool_, (16, 16)).filter(lambda mask: mask.any()),
)
@settings(deadline=None, max_examples=50)
def test_any_normals_and_any_mask_can_be_seen(normals: Float32Array, inside: BoolArray) -> None:
    planes = see(normals, inside, ignore)
    assert planes.shape == (16, 16, CHANNELS)
    assert np.isfinite(planes).all()
    assert (planes[~inside] == 0).all()
    np.testing.assert_allclose(np.linalg.norm(planes[inside][:, :3], axis=1), 1, atol=1e-5)
    assert planes[inside][:, Z].mean() == pytest.approx(0, abs=1e-4)


def test_lengths_are_halves_of_the_square() -> None:
    rows, columns = (np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2) * 2 / SIDE
    z = np.sqrt(np.maximum(0.64 - rows**2 - columns**2, 0))
    inside = z > 0
    planes = see(np.stack([columns, -rows, z], axis=-1), inside, ignore)
    middle = planes[SIDE // 2, SIDE // 2]
    assert middle[H] == pytest.approx(0.8, rel=0.05)
    assert np.abs(planes[..., Z] - (z - z[inside].mean()))[np.hypot(rows, columns) < 0.7].max() < 0.05
    assert planes[10, SIDE // 2, 7] > 0.75  # y goes up
    assert planes[SIDE // 2, -12, 6] > 0.75


def test_the_weights_that_ship_answer_with_a_body() -> None:
    weights = load(WEIGHTS)
    rows, columns = (np.mgrid[:SIDE, :SIDE] + 0.5 - SIDE / 2) * 2 / SIDE
    z = np.sqrt(np.maximum(0.64 - rows**2 - columns**2, 0))
    planes = see(np.stack([columns, -rows, z], axis=-1), z > 0, ignore)
    thin, median, thick = (predict(weights, planes, quantile, by_matmul, ignore) for quantile in (0.1, 0.5, 0.9))
    depths = [float((sheets.front - sheets.back)[z > 0].mean()) for sheets in (thin, median, thick)]
    assert depths == sorted(depths)
    assert (median.front >= median.back).all()
    assert 0.5 < median.up[1] < 1.2
    assert WEIGHTS.stat().st_size < 6_000_000


def test_weights_that_are_missing_damaged_or_of_another_network_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        load(tmp_path / "nowhere.npz")
    whole = WEIGHTS.read_bytes()
    (tmp_path / "half.npz").write_bytes(whole[: len(whole) // 2])
    np.save(tmp_path / "other.npy", np.zeros(3))
    (tmp_path / "other.npz").write_bytes((tmp_path / "other.npy").read_bytes())
    for name in ("half.npz", "other.npz"):
        with pytest.raises(ValueError, match="damaged"):
            load(tmp_path / name)
    with np.load(WEIGHTS) as file:
        arrays = {name: file[name] for name in file.files}
    for name, wrong in (("pose.2.weight", None), ("decoder.head.weight", arrays["decoder.head.weight"][:, :-1])):
        other = {key: value for key, value in arrays.items() if key != name} | ({} if wrong is None else {name: wrong})
        np.savez(tmp_path / "other.npz", **other)
        with pytest.raises(ValueError, match="another network"):
            load(tmp_path / "other.npz")
    arrays["pose.2.bias"] = np.array([0, np.nan, 0, 0, 0], np.float16)
    np.savez(tmp_path / "invalid.npz", **arrays)
    with pytest.raises(ValueError, match="non-finite"):
        load(tmp_path / "invalid.npz")
