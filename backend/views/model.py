# SPDX-License-Identifier: GPL-3.0-or-later
"""The published models that make the frames of an orbit: what their files hold, and what a run of each costs.

Operations and values were counted at full size.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..models import depth_names, video_unet_names
from ..models.clip_tower import REMNANTS as TEXT_REMNANTS

_TERA = 1e12
_MILLION = 1_000_000
HEADS: Mapping[str, int] = MappingProxyType(
    {"unet": video_unet_names.HEAD_WIDTH, "clip": 80, "tower": 64, "depth": depth_names.HEAD_WIDTH}
)
"""The channels of an attention's head in the published networks, which no tensor's shape tells."""


@dataclass(frozen=True)
class Model:
    """A model with its networks in one file.

    parts: the beginnings of the tensors' names, by part: `unet` denoises, `vae` decodes (and draws latents), `encoder`
    makes the picture's latent, `clip` its token, `tower` and `score` its score, `depth` the frames' depths. remnants:
    tensors beside the parts that nothing reads. frames, and side: of the pictures, in pixels. heads: see `HEADS`.
    evaluation, and besides: operations of one evaluation of the `unet`, and of all else in a run. work: how many
    numbers the work of a part holds at once beside its weights.
    """

    name: str
    parts: Mapping[str, str]
    remnants: frozenset[str]
    frames: int
    side: int
    evaluation: float
    besides: float
    work: Mapping[str, int]
    heads: Mapping[str, int] = field(default_factory=lambda: HEADS)

    def operations(self, steps: int) -> float:
        """Floating-point operations of a whole run: each step evaluates the network with the picture and without."""
        return 2 * steps * self.evaluation + self.besides


_CLIP = "conditioner.embedders.0.open_clip.model."
_TOWER = "conditioner.embedders.1.aesthetic_model."
_DEPTH = "conditioner.embedders.2.model.model."
_SHARED = {"unet": "model.diffusion_model.", "vae": "first_stage_model.", "clip": f"{_CLIP}visual."}
_TEXT = frozenset(_CLIP + name for name in TEXT_REMNANTS)


def _work(unet: int, pixels: int) -> dict[str, int]:
    """By part, in numbers; the autoencoder holds four tensors of 128 channels at the full size of a frame."""
    coding = 4 * 128 * pixels
    small = dict.fromkeys(("clip", "tower"), 60 * _MILLION)
    return {"unet": unet, "vae": coding, "encoder": coding, "depth": 400 * _MILLION, **small}


HI3D_FIRST = Model(
    name="first stage",
    parts={
        **_SHARED,
        "tower": f"{_TOWER}visual.",
        "score": "conditioner.embedders.1.aesthetic_mlp.",
        "encoder": "conditioner.embedders.3.encoder.",
    },
    remnants=_TEXT | {_TOWER + name for name in TEXT_REMNANTS},
    frames=16,
    side=512,
    evaluation=20.30 * _TERA,
    besides=42 * _TERA,
    work=_work(350 * _MILLION, 512**2),
)
HI3D_SECOND = Model(
    name="second stage",
    parts={**_SHARED, "depth": _DEPTH, "encoder": "conditioner.embedders.3.encoder."},
    remnants=_TEXT,
    frames=16,
    side=1024,
    evaluation=104.73 * _TERA,
    besides=328 * _TERA,
    work=_work(1_200 * _MILLION, 1024**2),
)
SV3D = Model(
    name="orbit",
    parts={**_SHARED, "encoder": "conditioner.embedders.1.encoder."},
    remnants=_TEXT,
    frames=21,
    side=576,
    evaluation=34.58 * _TERA,
    besides=69 * _TERA,
    work=_work(550 * _MILLION, 576**2),
)

UNET_VALUES = 1_524_623_082
"""Of the published networks that denoise, to half a thousandth."""
