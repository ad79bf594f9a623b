# SPDX-License-Identifier: GPL-3.0-or-later
"""How many floating-point operations the stages take, counted at full size, attention included."""

from ...nn.ddim import schedule_of

_TERA = 1e12
_EVALUATION = 0.176 * _TERA  # the UNet, for a latent of 32 x 32
_DECODING = 0.622 * _TERA  # of a view
_LOOKING = (0.162 + 0.273) * _TERA  # CLIP's picture tower, and the picture's latent
UNET_VALUES = 859_532_484
"""Of the published UNet."""


def operations(stage: str, steps: int) -> float:
    """Operations of a stage for one seed, with the published networks; 0 for one without networks."""
    done = len(schedule_of(steps, 0.0).levels)  # not always what was asked for
    known = {"look": _LOOKING, "views": 2 * done * _EVALUATION + _DECODING}
    return known.get(stage, 0.0)
