# SPDX-License-Identifier: GPL-3.0-or-later
"""What the networks of views are told in numbers: elevation, angles, noise and score as one vector.

The same vector serves an evaluation with the picture and one without. Sources: Hi3D (Yang et al. 2024), SV3D (Voleti et
al. 2024), and the programs that were published with them.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from ..nn.layers import timestep_embedding

HI3D_NOISE = 0.02
SV3D_NOISE = 1e-5
"""The deviation of the noise in the picture whose latent the networks get."""

_SLOT = 256
_ANGLE_SLOT = 512
_SCORE_WAVES = 127
_SCORE_SCALE = 100


def plain_slot(values: Tensor, width: int = _SLOT) -> Tensor:
    """Cosines and sines of `values` (B,), float32 (B, width)."""
    return timestep_embedding(values, width)


def score_slot(scores: Tensor) -> Tensor:
    """The aesthetic scores (B,) themselves, then 127 cosines and sines of a hundred times them, then zero: (B, 256)."""
    scores = scores.float()
    waves = timestep_embedding(_SCORE_SCALE * scores, 2 * _SCORE_WAVES)
    return torch.cat([scores[:, None], waves, torch.zeros_like(scores)[:, None]], dim=-1)


def hi3d_vector(elevation: int, score: Tensor | None = None) -> Tensor:
    """Hi3D's vector, float32 (1, 512): of the camera's elevation in whole degrees, and of the noise in the picture.

    The first stage is told the picture's aesthetic `score` (1,) before: (1, 768).
    """
    slots = [plain_slot(torch.tensor([float(elevation)])), plain_slot(torch.tensor([HI3D_NOISE]))]
    first = [] if score is None else [score_slot(score.cpu())]
    return torch.cat([*first, *slots], dim=-1)


def sv3d_vectors(frames: int, polars: Sequence[float] = (), azimuths: Sequence[float] = ()) -> Tensor:
    """SV3D's vectors, float32 (frames, 256): of the noise in the picture, all alike.

    SV3D_p is told where each frame's camera is, by its polar angle and its azimuth in radians: (frames, 1280).
    """
    slots = [plain_slot(torch.full((frames,), SV3D_NOISE))]
    if polars:
        slots += [plain_slot(torch.tensor(angles, dtype=torch.float32), _ANGLE_SLOT) for angles in (polars, azimuths)]
    return torch.cat(slots, dim=-1)


def sv3d_angles(elevations: Sequence[float], azimuths: Sequence[float]) -> tuple[list[float], list[float]]:
    """The polar angles and the azimuths in radians that SV3D_p is told, of a camera's angles in degrees.

    Polar angles count from above. Azimuths count from that of the last frame, which is the picture itself.
    """
    polars = [math.radians(90 - elevation) for elevation in elevations]
    return polars, [math.radians((azimuth - azimuths[-1]) % 360) for azimuth in azimuths]


def even_azimuths(frames: int) -> list[float]:
    """Azimuths in degrees of frames on a whole circle, of which the last one, the picture itself, is at 0."""
    return [360 * (i + 1) / frames % 360 for i in range(frames)]
