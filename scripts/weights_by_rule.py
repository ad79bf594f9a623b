# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights and inputs of any size by a rule: each follows from its name and its shape.

So the published networks can be timed, and compared with another implementation, without a download. Their results with
such weights have no meaning.
"""

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor


def weights_by_rule(tensors: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """Weights for `tensors`, by their names; only names and shapes matter.

    float32, uniform with deviation 0.02. Norm and layer scales (`.gamma`, and `.weight` of one axis) are shifted to 1.
    """
    import torch  # noqa: PLC0415  tests that read fixtures may run without it

    weights: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        shape = tuple(tensor.shape)
        values = _uniform(name, shape)
        values *= np.sqrt(3) * 0.02
        if name.endswith(".gamma") or (name.endswith(".weight") and len(shape) == 1):
            values += 1
        weights[name] = torch.from_numpy(values.astype(np.float32))
    return weights


def input_by_rule(name: str, shape: tuple[int, ...], sha256: str | None = None, deviation: float = 1) -> "Tensor":
    """An input, float32, uniform with the deviation. Raises ValueError if its bytes have another hash."""
    import torch  # noqa: PLC0415

    values = (_uniform(name, shape) * np.sqrt(3)).astype(np.float32) / np.float32(1 / deviation)
    if sha256 not in {None, hashlib.sha256(values.astype("<f4").tobytes()).hexdigest()}:
        raise ValueError(f"the input {name} came out different from what it should be")
    return torch.from_numpy(values)


def views_weights_by_rule(shapes: Mapping[str, tuple[int, ...]], salt: str) -> dict[str, "Tensor"]:
    """Weights for tensors of these `shapes`, by SALT/NAME, float32 (the rule "views-1").

    Matrices and convolutions have the deviation that keeps the scale of what goes through them, mixing factors 1, all
    else 0.1; weights of one axis are shifted to 1.
    """
    import torch  # noqa: PLC0415

    weights: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        values = _uniform(f"{salt}/{name}", shape) * np.sqrt(3)
        if len(shape) > 1:
            values /= np.sqrt(np.prod(shape[1:]))
        elif not name.endswith("mix_factor"):
            values = 1 + 0.1 * values if len(shape) == 1 and name.endswith(".weight") else 0.1 * values
        weights[name] = torch.from_numpy(np.asarray(values, np.float32))
    return weights


def views_input_by_rule(key: str, shape: tuple[int, ...], *, clamped: bool = False) -> "Tensor":
    """An input by its key, float32, uniform with deviation 1 (the rule "views-1"); in [-1, 1] if it is `clamped`."""
    values = input_by_rule(key, shape)
    return values.clamp(-1, 1) if clamped else values


def _uniform(name: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Uniform in [-1, 1), float64, from the counter-based generator whose key is the name's hash."""
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "little")
    values = np.random.Generator(np.random.Philox(key=key)).random(shape)
    values *= 2
    values -= 1
    return values
