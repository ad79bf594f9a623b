# SPDX-License-Identifier: GPL-3.0-or-later
"""The autoencoder of small structures: occupied voxels to a few latents and back.

Networks and divergence are the published ones; the loss is the overlap that the published networks are trained with
and the cross-entropy, which tells single voxels apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from ...flow.products import Picture
from ...models.structure_decoder import StructureDecoder
from ...models.structure_encoder import StructureEncoder
from ...nn.posterior import Posterior
from ...raster.voxels import draw_voxels
from ..core.curve import Quantity
from ..geometry.comparison import over_white
from ..norld.export import write_network
from ..norld.occupancy import cross_entropy, dice
from ..norld.voxelise import occupancy
from .config import StructuresConfig
from .task import Objects
from .views import RESOLUTION

ENCODER, DECODER = "SparseStructureEncoder", "SparseStructureDecoder"
_TURNS = tuple(permutations(range(3)))
_FIRST = -6.0  # logarithm of the variance


class StructureAutoencoder(nn.Module):
    """Both networks."""

    def __init__(self, config: StructuresConfig) -> None:
        super().__init__()
        self.encoder = StructureEncoder(config.encoder)
        last = self.encoder.out_layer[-1]
        assert isinstance(last, nn.Conv3d) and last.bias is not None  # noqa: S101, PT018  the encoder made it
        quieten(last.bias, config.latents)
        self.decoder = StructureDecoder(config.decoder)

    def forward(self, truth: Tensor, noise: torch.Generator | None) -> tuple[Posterior, Tensor]:
        """The latents' distribution and the log-odds of occupancy, for the true one float32 (B, 1, R, R, R)."""
        found = self.encoder(truth)
        return found, self.decoder(drawn_from(found, noise))


@dataclass(frozen=True)
class Structures:
    """The training of a `StructureAutoencoder`: a `task.Part`."""

    config: StructuresConfig

    @property
    def quantity(self) -> Quantity:
        """How much of the true and the found voxels, taken together, only one has."""
        return Quantity("missing", "%")

    def make(self) -> nn.Module:
        """Make the network."""
        return StructureAutoencoder(self.config)

    def varied(self, tensors: Mapping[str, Tensor], random: np.random.Generator | None) -> dict[str, Tensor]:
        """The occupancy, float32 (1, R, R, R)."""
        truth = occupancy(tensors["coords"].int(), RESOLUTION)[0]
        if random is not None:
            turn, flips = symmetry(random)
            truth = truth.permute(0, *(axis + 1 for axis in turn)).flip([axis + 1 for axis in flips])
        return {"occupancy": truth.contiguous()}

    def loss(self, network: nn.Module, objects: Objects, noise: torch.Generator | None) -> dict[str, Tensor]:
        """Overlap, cross-entropy and divergence."""
        truth = torch.stack([each["occupancy"] for each in objects])
        found, logits = network(truth, noise)
        terms = {"dice": dice(logits, truth), "entropy": cross_entropy(logits, truth), "kl": found.divergence()}
        loss = terms["dice"] + terms["entropy"] + self.config.divergence * terms["kl"]
        return {"loss": loss, **terms, "missing": 100 * missing(logits > 0, truth > 0)}

    def sheet(self, network: nn.Module, objects: Objects) -> Picture:
        """True voxels beside found ones, from the front."""
        rows: list[Picture] = []
        for each in objects:
            _, logits = network(each["occupancy"][None], None)
            pair = [
                draw_voxels(at.nonzero().int().cpu().numpy(), RESOLUTION)
                for at in (each["occupancy"][0] > 0, logits[0, 0] > 0)
            ]
            rows.append(np.hstack(pair))
        return over_white(np.vstack(rows))

    def export(self, stem: Path, network: nn.Module) -> None:
        """Write STEM-encoder and STEM-decoder as the published networks are kept."""
        for kind, part, config in (
            (ENCODER, "encoder", self.config.encoder),
            (DECODER, "decoder", self.config.decoder),
        ):
            write_network(stem.with_name(f"{stem.name}-{part}"), kind, config, getattr(network, part))


def drawn_from(found: Posterior, noise: torch.Generator | None) -> Tensor:
    """Latents as training draws them, or without a generator the means."""
    if noise is None:
        return found.mean
    return found.sample(torch.randn(found.mean.shape, generator=noise).to(found.mean.device))


@torch.no_grad()
def quieten(bias: Tensor, latents: int) -> None:
    """Let an encoder's last layer begin with little variance: with one of 1 the first hundreds of steps see noise."""
    bias[latents:] = _FIRST


def missing(found: Tensor, truth: Tensor) -> Tensor:
    """One minus the intersection over the union of two bool tensors (), 0 if both are empty."""
    return 1 - (found & truth).sum() / (found | truth).sum().clamp_min(1)


def symmetry(random: np.random.Generator) -> tuple[tuple[int, ...], list[int]]:
    """One of the cube's 48 symmetries: an order of the axes, and then which of them are reversed."""
    turn = _TURNS[random.integers(len(_TURNS))]
    return turn, [axis for axis in range(3) if random.random() < 0.5]
