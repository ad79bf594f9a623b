# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up objects as the flow models read them (`norld.objects`): each and its mirror image."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ...models.image_tokens import image_tokens, load_tokenizer
from ...models.latent_encoder import LatentEncoder
from ...models.latent_flow import Normalization
from ...models.structure_encoder import StructureEncoder
from ..norld.objects import read_object
from ..norld.preparation import encoded_latents, load_encoder, load_latent_encoder
from ..norld.statistics import statistics_of
from ..norld.voxelise import occupancy
from . import gathering
from .latents import turned
from .surfaces import placed
from .tokens import mirrored, normalised
from .views import RESOLUTION

_TOGETHER = 8  # structures that go through their encoder at once


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
def encoded(
    tensors: Mapping[str, Tensor], encoders: Encoders, *, mirror: bool = False, surfaces: bool = False
) -> list[dict[str, Tensor]]:
    """The tensors of an object for both flow models, and with `mirror` then those of its mirror image.

    surfaces: also the true surface and its cameras (`surfaces.placed`), against which normals are held.

    Both go through the networks of pictures and of structures together: torch convolves a single small volume in a
    slow way, which takes three times as long. Latents gain nothing from it, and are encoded one by one.
    """
    voxels = [(tensors["coords"].int(), tensors["distances"].float())]
    pictures = list(tensors["pictures"])
    if mirror:
        voxels.append(turned(*voxels[0], (0, 1, 2), [0]))
        pictures += [mirrored(picture, tensors["sheets"])[0] for picture in pictures]
    tokens = image_tokens(encoders.tokens, torch.stack([normalised(picture) for picture in pictures])).half()
    structures = _structures([coords for coords, _ in voxels], encoders) / encoders.scale
    return [
        {
            "coords": coords.to(torch.uint8).contiguous(),
            "tokens": of_pictures.contiguous(),
            "structure": structure.half().contiguous(),
            "latents": encoded_latents(encoders.latents, distances, coords).half().contiguous(),
            **(placed(coords, distances) if surfaces else {}),
        }
        for (coords, distances), of_pictures, structure in zip(
            voxels, tokens.chunk(len(voxels)), structures, strict=True
        )
    ]


@torch.no_grad()
def spread(objects: Sequence[Mapping[str, Tensor]], encoders: Encoders) -> float:
    """The deviation of the structures' latents over some objects, from zero and over all channels.

    The published flow model takes these latents as they are. Ours would see little of them through noise of 1: the flow
    model learns them divided by this number, which the decoder's first layer is then multiplied with.
    """
    coords = [each["coords"].int() for each in objects]
    starts = range(0, len(coords), _TOGETHER)
    latents = [_structures(coords[start : start + _TOGETHER], encoders) for start in starts]
    return float(torch.cat(latents).square().mean().sqrt())


def normalization_of(paths: Iterable[Path]) -> Normalization:
    """The scales of the latents of encoded objects. Raises UserError if a file is damaged."""
    return statistics_of(_latents(paths))


def _structures(coords: Sequence[Tensor], encoders: Encoders) -> Tensor:
    """The latents (B, C, R, R, R) of the structures of some objects, whose voxels are given."""
    return encoders.structures(torch.cat([occupancy(each, RESOLUTION) for each in coords])).mean


def _latents(paths: Iterable[Path]) -> Iterator[Tensor]:
    for path in paths:
        yield read_object(path)["latents"]
