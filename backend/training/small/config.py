# SPDX-License-Identifier: GPL-3.0-or-later
"""The sizes of the small networks around the flow models, and how they are trained; the flow models' are `norld`'s."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from ...models.latent_decoder import LatentDecoderConfig
from ...models.latent_encoder import LatentEncoderConfig
from ...models.structure_decoder import StructureDecoderConfig
from ...models.structure_encoder import StructureEncoderConfig
from ..core.schedule import Schedule, TrainingStage, TrainingStageName
from .views import FINE, PIXELS, RESOLUTION

CORNERS = (FINE + 1) ** 3
"""Distances that are known in a voxel."""

HELD_OUT = 64
"""Objects that nothing is learned from."""


@dataclass(frozen=True)
class TokensConfig:
    """The sizes of the network that reads normal maps: of its transformer, and of its picture's patches in pixels."""

    channels: int
    layers: int
    heads: int
    patch: int
    pixels: int = PIXELS


@dataclass(frozen=True)
class StructuresConfig:
    """The sizes of the structures' autoencoder.

    divergence: the weight of the Kullback-Leibler divergence of the latents from the standard normal distribution.
    """

    latents: int
    channels: tuple[int, ...]  # fine to coarse
    blocks: int = 1
    divergence: float = 1e-3

    @property
    def encoder(self) -> StructureEncoderConfig:
        """The encoder's sizes."""
        return StructureEncoderConfig(1, self.latents, self.blocks, self.channels, self.blocks)

    @property
    def decoder(self) -> StructureDecoderConfig:
        """The decoder's sizes."""
        return StructureDecoderConfig(1, self.latents, self.blocks, self.channels[::-1], self.blocks)


@dataclass(frozen=True)
class LatentsConfig:
    """The sizes of the latents' autoencoder, and the weights of the normals and of the divergence beside distances."""

    latents: int
    channels: int
    encoder_blocks: int
    decoder_blocks: int
    heads: int
    normals: float = 0.3
    divergence: float = 2e-2

    @property
    def encoder(self) -> LatentEncoderConfig:
        """The encoder's sizes."""
        return LatentEncoderConfig(
            RESOLUTION, CORNERS, self.channels, self.latents, self.encoder_blocks, self.heads, qk_rms_norm=True
        )

    @property
    def decoder(self) -> LatentDecoderConfig:
        """The decoder's sizes."""
        return LatentDecoderConfig(
            RESOLUTION, self.channels, self.latents, self.decoder_blocks, self.heads, subdivision=FINE
        )


@dataclass(frozen=True)
class Training:
    """Everything that decides a training but its data, their seed and the network. batch: objects at a step."""

    schedule: Schedule
    batch: int
    held_out: int = HELD_OUT


@dataclass(frozen=True)
class Config:
    """The three networks, and how each is trained."""

    name: str
    tokens: TokensConfig
    structures: StructuresConfig
    latents: LatentsConfig
    token_training: Training
    structure_training: Training
    latent_training: Training


def _training(
    batch: int, rate: float, check: int, cooling: int, precision: Literal["bf16", "fp32"] = "bf16"
) -> Training:
    """A trunk without end, and a cooling of so many steps."""
    stages: dict[TrainingStageName, TrainingStage] = {
        "trunk": TrainingStage(None, rate, warm_up=100),
        "cool": TrainingStage(cooling, rate, decay=True),
    }
    return Training(Schedule(stages, average=0.998, log=25, check=check, precision=precision, weight_decay=0.01), batch)


def _tiny(batch: int) -> Training:
    stages: dict[TrainingStageName, TrainingStage] = {
        "trunk": TrainingStage(None, 2e-3, warm_up=2),
        "cool": TrainingStage(4, 2e-3, decay=True),
    }
    return Training(Schedule(stages, average=0.9, log=2, check=4, precision="fp32"), batch, held_out=2)


CONFIGS: Mapping[str, Config] = MappingProxyType(
    {
        config.name: config
        for config in (
            Config(
                "tiny",
                TokensConfig(8, 1, 2, 56),
                StructuresConfig(3, (2, 4, 8, 16)),
                LatentsConfig(3, 32, 1, 1, 2),
                *(_tiny(2), _tiny(2), _tiny(1)),
            ),
            Config(
                "small",
                TokensConfig(192, 3, 4, 14),
                StructuresConfig(8, (8, 32, 64)),
                LatentsConfig(6, 96, 2, 3, 4),
                _training(16, 1e-3, 500, 1000),
                _training(2, 1e-3, 500, 1000),
                _training(2, 1e-3, 500, 1000, precision="fp32"),  # bf16 gains nothing at voxels
            ),
        )
    }
)
