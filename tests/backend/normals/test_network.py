# SPDX-License-Identifier: GPL-3.0-or-later
"""The network gives the same in numpy as in torch, with either matrix multiplication; invalid weights are refused."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch

from backend.normals.features import GRID, inflate, standardise
from backend.normals.network import load, multiple, predict
from backend.raster.matmul import MatMul, by_einsum, by_matmul
from backend.training.core.exported import export
from backend.training.normals.config import DRAFT, TINY, Config, Small
from backend.training.normals.task import make_network


def drawn(config: Config) -> torch.nn.Module:
    """Return a network with random weights, none of them zero, that half precision can hold."""
    torch.manual_seed(3)
    network = make_network(config)
    for value in network.parameters():
        spread = 0.5 * (2 / value[0].numel()) ** 0.5 if value.ndim > 1 else 0.1
        value.data = (value.data * 0.5 + torch.randn_like(value) * spread).half().float()
    return network


@pytest.mark.parametrize("multiply", [by_matmul, by_einsum])
@pytest.mark.parametrize(
    "config", [TINY, DRAFT, replace(TINY, network=Small((8, 12, 16), (2, 1, 3), (4, 8), (1, 2), (2, 1, 1)))]
)
def test_numpy_and_torch_agree(tmp_path: Path, config: Config, multiply: MatMul) -> None:
    network = drawn(config)
    export(tmp_path / "weights.npz", network)
    weights = load(tmp_path / "weights.npz")
    assert multiple(weights) == config.network.multiple
    random = np.random.default_rng(1)
    rgba = random.integers(0, 256, (1, 96, 160, 4)).astype(np.uint8)
    rgba[..., 3] = np.where(np.add.outer(np.arange(96), np.arange(160)) > 70, rgba[..., 3] // 2 + 128, 0)
    picture = standardise(rgba)
    inflated = inflate(picture[..., 3])
    found = predict(weights, picture[0], inflated[0], multiply, lambda: None)
    with torch.no_grad():
        expected = network(*(torch.from_numpy(part).permute(0, 3, 1, 2) for part in (picture, inflated)))
    wanted = expected[0].permute(1, 2, 0).numpy()
    assert found.shape == (96, 160, 3)
    assert np.abs(wanted - inflated[0].repeat(GRID, 0).repeat(GRID, 1)).max() > 0.3
    np.testing.assert_allclose(found, wanted, atol=1e-3)


def test_an_untrained_network_returns_the_inflated_outline(tmp_path: Path) -> None:
    export(tmp_path / "weights.npz", make_network(TINY))
    picture = standardise(np.full((1, 64, 64, 4), 200, np.uint8))
    inflated = inflate(picture[..., 3])
    found = predict(load(tmp_path / "weights.npz"), picture[0], inflated[0], by_matmul, lambda: None)
    middle = found.reshape(16, 4, 16, 4, 3)[:, 1:3, :, 1:3].mean(axis=(1, 3))
    np.testing.assert_allclose(middle[1:-1, 1:-1], inflated[0, 1:-1, 1:-1], atol=0.1)


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    with pytest.raises(OSError, match="No such file"):
        load(path)
    export(path, drawn(TINY))
    whole = path.read_bytes()
    for damaged in (b"", whole[:1000], whole[:-3000], b"x" * 5000, whole[:3000] + bytes(2000) + whole[5000:]):
        path.write_bytes(damaged)
        with pytest.raises(ValueError):  # noqa: PT011 - numpy words some of them
            load(path)


def test_weights_of_another_network_or_with_objects_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "weights.npz"
    np.savez(path, **{"conv.weight": np.zeros((2, 2, 3, 3), np.float16)})
    with pytest.raises(ValueError, match="another network"):
        load(path)
    np.savez(path, **{"conv.weight": np.array([{}], dtype=object)})
    with pytest.raises(ValueError, match="pickle"):
        load(path)
    export(path, drawn(TINY))
    with np.load(path) as file:
        arrays = dict(file)
    np.savez(path, **{**arrays, "decoder.head.bias": np.full(48, np.nan, np.float16)})
    with pytest.raises(ValueError, match="non-finite"):
        load(path)
    for name in ("clean.stem.weight", "noisy.down.0.bias", "joints.1.weight", "decoder.levels.0.0.second.weight"):
        np.savez(path, **{other: array for other, array in arrays.items() if other != name})
        with pytest.raises(ValueError, match="another network"):
            load(path)
        np.savez(path, **{**arrays, name: arrays[name][:-1]})
        with pytest.raises(ValueError, match="another network"):
            load(path)
