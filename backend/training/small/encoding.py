# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up objects as the flow models read them (`norld.objects`): each and its mirror image."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...models.image_tokens import image_tokens, load_tokenizer
from ...models.latent_encoder import LatentEncoder
from ...models.latent_flow import Normalization
from ...models.structure_encoder import StructureEncoder
from ...nn.checkpoint import read_tensors
from ..norld.preparation import encoded_latents, load_encoder, load_latent_encoder
from ..norld.statistics import statistics_of
from ..norld.voxelise import occupancy
from . import gathering
from .latents import turned
from .tokens import mirrored, normalised
from .views import RESOLUTION


@dataclass(frozen=True)
class Encoders:
    """The trained networks that an object goes through, in float32. scale: of the structures' latents, see `spread`."""

    tokens: Any  # the library's class
    structures: StructureEncoder
    latents: LatentEncoder
    scale: float = 1.0


def load_encoders(folder: Path) -> Encoders:
    """The networks in a folder of trainings. Raises UserError if one is missing or damaged."""
    structure_stem = gathering.newest(folder, gathering.STRUCTURES, "-encoder")
    latent_stem = gathering.newest(folder, gathering.LATENTS, "-encoder")
    return Encoders(
        load_tokenizer(gathering.newest(folder, gathering.TOKENS)),
        load_encoder(structure_stem),
        load_latent_encoder(latent_stem),
    )


@torch.no_grad()
def encoded(tensors: Mapping[str, Tensor], encoders: Encoders, *, mirror: bool = False) -> dict[str, Tensor]:
    """The tensors of an object for both flow models; with `mirror` those of its mirror image."""
    coords, distances = tensors["coords"].int(), tensors["distances"].float()
    pictures = list(tensors["pictures"])
    if mirror:
        coords, distances = turned(coords, distances, (0, 1, 2), [0])
        pictures = [mirrored(picture, tensors["sheets"])[0] for picture in pictures]
    pixels = torch.stack([normalised(picture) for picture in pictures])
    found = {
        "coords": coords.to(torch.uint8),
        "tokens": image_tokens(encoders.tokens, pixels).half(),
        "structure": (_structure(coords, encoders) / encoders.scale).half(),
        "latents": encoded_latents(encoders.latents, distances, coords).half(),
    }
    return {name: tensor.contiguous() for name, tensor in found.items()}


@torch.no_grad()
def spread(objects: Iterable[Mapping[str, Tensor]], encoders: Encoders) -> float:
    """The deviation of the structures' latents over some objects, from zero and over all channels.

    The published flow model takes these latents as they are. Ours would see little of them through noise of 1: the flow
    model learns them divided by this number, which the decoder's first layer is then multiplied with.
    """
    squares = [_structure(each["coords"].int(), encoders).square().mean() for each in objects]
    return float(torch.stack(squares).mean().sqrt())


def normalization_of(paths: Iterable[Path]) -> Normalization:
    """The scales of the latents of encoded objects. Raises UserError if a file is damaged."""
    return statistics_of(_latents(paths))


def _structure(coords: Tensor, encoders: Encoders) -> Tensor:
    return encoders.structures(occupancy(coords, RESOLUTION)).mean[0]


def _latents(paths: Iterable[Path]) -> Iterator[Tensor]:
    for path in paths:
        yield read_tensors(path)["latents"]
