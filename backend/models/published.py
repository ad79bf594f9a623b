# SPDX-License-Identifier: GPL-3.0-or-later
"""Tensors under their published names become those of a library's network, and the other way round.

A converter says for each tensor of the library's network where its values lie in the published checkpoint: its `Place`.
Nothing is lost on either way: what has no place keeps its published name, so that `fill` refuses it.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from ..nn.checkpoint import damaged, described, fill

N = TypeVar("N", bound=nn.Module)
Form = Literal["same", "transposed", "convolution"]


@dataclass(frozen=True)
class Place:
    """Where the values of a tensor lie in a published checkpoint.

    name: the published tensor. third: 0, 1 or 2 if it is that third of the published tensor's first axis. form: how the
    published matrix lies: the same, transposed, or as a convolution of one pixel, (out, in, 1, 1).
    """

    name: str
    third: int | None = None
    form: Form = "same"


PlaceOf = Callable[[str], Place]
"""From the name of a tensor in the library's network to its place."""


def from_published(tensors: Mapping[str, Tensor], names: Iterable[str], place_of: PlaceOf) -> dict[str, Tensor]:
    """The published `tensors` under the library's `names`, as views where that is possible.

    A tensor that is missing is left out; one that no name asks for keeps its published name.
    """
    found: dict[str, Tensor] = {}
    used: set[str] = set()
    for name in names:
        place = place_of(name)
        if place.name in tensors:
            found[name] = _taken(tensors[place.name], place)
            used.add(place.name)
    return found | {name: tensor for name, tensor in tensors.items() if name not in used}


def to_published(tensors: Mapping[str, Tensor], place_of: PlaceOf) -> dict[str, Tensor]:
    """The library's `tensors` under their published names. All three thirds of a published tensor have to be there."""
    whole: dict[str, Tensor] = {}
    thirds: dict[str, dict[int, Tensor]] = {}
    for name, tensor in tensors.items():
        place = place_of(name)
        given = _given(tensor, place)
        if place.third is None:
            whole[place.name] = given
        else:
            thirds.setdefault(place.name, {})[place.third] = given
    return whole | {name: torch.cat([parts[third] for third in range(3)]) for name, parts in thirds.items()}


def below(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin with `prefix`, by the rest of their names."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def count(names: Collection[str], start: str) -> int:
    """How many numbered parts there are, START0, START1 and so on."""
    found = 0
    while any(name.startswith(f"{start}{found}.") for name in names):
        found += 1
    return found


def form_of(tensors: Mapping[str, Tensor], name: str, source: str) -> tuple[int, ...]:
    """The shape of a tensor, from which a network's sizes follow. Raises UserError if it is missing."""
    if name not in tensors:
        raise damaged(f"In {source} the tensor {name} is missing")
    return tuple(tensors[name].shape)


def dtype_of(tensors: Mapping[str, Tensor]) -> torch.dtype:
    """The dtype of the first tensor, which the others have to share."""
    return next((tensor.dtype for tensor in tensors.values()), torch.float32)


def filled(
    build: Callable[[], N],
    tensors: Mapping[str, Tensor],
    place_of: PlaceOf,
    source: str,
    kind: str,
    unused: Collection[str] = (),
) -> N:
    """The network that `build` makes, with the published `tensors` of one dtype, for inference.

    unused: published names that are left out. Raises UserError, which names the tensor and its `source`, if a tensor is
    missing, unknown, or of another shape or dtype, and if the sizes describe no network of the `kind`.
    """
    with described(source, kind), torch.device("meta"):
        network: Any = build()
    nn.Module.to(network, dtype_of(tensors))  # diffusers' own method warns without a reason
    fill(network, from_published(tensors, network.state_dict(), place_of), source, unused)
    return network


def _taken(tensor: Tensor, place: Place) -> Tensor:
    if place.third is not None:
        size = -(-len(tensor) // 3)  # an invalid length shows as a wrong shape
        tensor = tensor[place.third * size : (place.third + 1) * size]
    if place.form == "transposed" and tensor.ndim == 2:
        return tensor.T
    if place.form == "convolution" and tensor.shape[2:] == (1, 1):
        return tensor[:, :, 0, 0]
    return tensor


def _given(tensor: Tensor, place: Place) -> Tensor:
    if place.form == "transposed":
        return tensor.T
    return tensor[:, :, None, None] if place.form == "convolution" else tensor
