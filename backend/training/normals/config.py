# SPDX-License-Identifier: GPL-3.0-or-later
"""Which normal estimators are trained, and how: a network's widths, its schedule, and what it sees when.

`trunk` and `cool` are stage one of the Hi3DGen paper. `refine` is its stage two: the clean stream is frozen, and the
noisy one learns what is left to learn on sharp, large pictures.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..core.schedule import Schedule, TrainingStage, TrainingStageName


@dataclass(frozen=True)
class Small:
    """A `network.DualStream`: channels and residual blocks, from fine to coarse.

    The noisy stream's first level has a quarter of the picture's side, the clean stream's first an eighth, the decoder
    all levels from a quarter down to the clean stream's last but one. With `dual` off both streams see the noise, which
    makes them one.
    """

    clean: tuple[int, ...] = (96, 192, 256)
    clean_blocks: tuple[int, ...] = (1, 1, 1)
    noisy: tuple[int, ...] = (48, 64, 96)
    noisy_blocks: tuple[int, ...] = (1, 1, 1)
    decoder_blocks: tuple[int, ...] = (1, 1, 1)
    dual: bool = True

    @property
    def multiple(self) -> int:
        """Both sides of a picture must be multiples of this, in pixels."""
        return 4 << len(self.clean)


@dataclass(frozen=True)
class Large:
    """A `large.LatentDualStream`: the UNet's channels, an attention head's, the text's, and the autoencoder's."""

    channels: tuple[int, ...] = (320, 640, 1280, 1280)
    head_channels: int = 64
    text_channels: int = 1024
    code_widths: tuple[int, ...] = (128, 256, 512, 512)
    dual: bool = True
    multiple: int = 64


Sizes = tuple[tuple[int, Mapping[int, float]], ...]
"""The sides of a stage's pictures, in pixels, as (step from which they hold, {side: share of the steps})."""


@dataclass(frozen=True)
class Config:
    """Everything that decides a training but its data's seed.

    pixels: of a batch, so that small pictures come in large batches. block, uses, window: how many pictures a block of
    the source holds, which show one shape, how often each is drawn, and how many pixels of each size may be kept in
    memory for it. noise: the injected noise's greatest standard deviation, in those of the picture's colours; a picture
    draws its own up to it. gradient: the weight of the gradient loss. held_out: the sides of the held-out pictures and
    how many of each.
    """

    name: str
    network: Small | Large
    schedule: Schedule
    sizes: Mapping[TrainingStageName, Sizes]
    pixels: int
    block: int
    uses: int
    window: int
    noise: float
    gradient: float
    held_out: Mapping[int, int]


def _stages(
    trunk: TrainingStage, cool: TrainingStage, refine: TrainingStage
) -> Mapping[TrainingStageName, TrainingStage]:
    return {"trunk": trunk, "cool": cool, "refine": refine}


def _sizes(trunk: Sizes, cool: Mapping[int, float], refine: Mapping[int, float]) -> Mapping[TrainingStageName, Sizes]:
    return {"trunk": trunk, "cool": ((0, cool),), "refine": ((0, refine),)}


_EARLY = {64: 0.40, 96: 0.40, 128: 0.20}
_LATE = {64: 0.15, 96: 0.40, 128: 0.35, 192: 0.10}
_LATER = {96: 0.30, 128: 0.45, 192: 0.20, 256: 0.05}

TINY = Config(
    name="tiny",
    network=Small((16, 24), (1, 1), (8, 12), (1, 1), (1, 1)),
    schedule=Schedule(
        _stages(
            TrainingStage(None, 4e-3, warm_up=5),
            TrainingStage(20, 4e-3, decay=True),
            TrainingStage(10, 1e-3, decay=True),
        ),
        average=0.9,
        log=5,
        check=20,
        precision="fp32",
    ),
    sizes=_sizes(((0, {32: 1.0}), (40, {32: 0.5, 48: 0.5})), {32: 1.0}, {48: 1.0}),
    pixels=8 * 32**2,
    block=8,
    uses=2,
    window=32 * 8 * 32**2,
    noise=0.3,
    gradient=0.4,
    held_out={32: 16},
)
"""For tests: a minute."""

DRAFT = Config(
    name="draft",
    network=Small(),
    schedule=Schedule(
        _stages(
            TrainingStage(None, 2e-3, warm_up=200),
            TrainingStage(5000, 2e-3, warm_up=100, decay=True),
            TrainingStage(2000, 7e-4, decay=True),
        ),
        average=0.999,
        log=50,
        check=500,
    ),
    sizes=_sizes(
        ((0, {64: 1.0}), (1800, _EARLY), (3000, _LATE), (20_000, _LATER)),
        {96: 0.30, 128: 0.40, 192: 0.20, 256: 0.10},
        {128: 0.25, 192: 0.35, 256: 0.25, 384: 0.15},
    ),
    pixels=16 * 128**2,
    block=4,
    uses=3,
    window=32 * 16 * 128**2,
    noise=0.3,
    gradient=0.4,
    held_out={128: 192, 256: 48},
)
"""What ships in the extension: 3.7 M parameters."""

DRAFT_GPU = replace(
    DRAFT,
    name="draft-gpu",
    sizes={**DRAFT.sizes, "cool": ((0, {96: 0.25, 128: 0.40, 192: 0.20, 256: 0.12, 384: 0.03}),)},
    pixels=96 * 128**2,
)
"""Draft in larger batches, for a GPU whose pictures many workers make: `--workers 15`."""

FULL = Config(
    name="full",
    network=Large(),
    schedule=Schedule(
        _stages(
            TrainingStage(None, 3e-5, warm_up=500),
            TrainingStage(10_000, 3e-5, decay=True),
            TrainingStage(10_000, 1e-5, decay=True),
        ),
        average=0.9999,
        log=50,
        check=1000,
    ),
    sizes=_sizes(((0, {384: 0.5, 512: 0.5}),), {512: 0.7, 768: 0.3}, {768: 1.0}),
    pixels=4 * 512**2,
    block=16,
    uses=2,
    window=64 * 16 * 512**2,
    noise=0.3,
    gradient=0.4,
    held_out={512: 64},
)
"""NiRNE's published size: 866 M parameters of the UNet, 364 M of the ControlNet, 84 M of the autoencoder, which is not
trained. Weights, their average, gradients and AdamW's moments take 25 GB, so that it wants a GPU of 48 GB or more."""

ABLATION = replace(
    DRAFT,
    name="ablation",
    schedule=replace(
        DRAFT.schedule,
        stages=_stages(
            TrainingStage(1500, 2e-3, warm_up=200),
            TrainingStage(500, 2e-3, decay=True),
            TrainingStage(250, 7e-4, decay=True),
        ),
    ),
    sizes=_sizes(((0, {64: 1.0}),), {64: 1.0}, {64: 1.0}),
    held_out={64: 192},
)
"""Draft at 64 pixels: some fifteen minutes on one core. What the noise and the two streams are worth is said by the two
that follow it, and what stage two is worth by cooling for 750 steps instead of refining for the last 250."""

_ABLATIONS = (
    ABLATION,
    replace(ABLATION, name="ablation-without-noise", noise=0.0),
    replace(ABLATION, name="ablation-without-streams", network=Small(dual=False)),
)

CONFIGS: Mapping[str, Config] = {config.name: config for config in (TINY, DRAFT, DRAFT_GPU, FULL, *_ABLATIONS)}
