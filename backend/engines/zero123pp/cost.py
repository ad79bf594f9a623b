# SPDX-License-Identifier: GPL-3.0-or-later
"""How many floating-point operations the stages take, counted at full size, attention included."""

_TERA = 1e12
_VIEWS = 2.578 * _TERA  # the UNet, for a sheet beside a reference
_REFERENCE = 0.804 * _TERA  # the UNet, for a reference
_CONTROL = 0.817 * _TERA  # the ControlNet, for a sheet
_DECODING = 6.0 * _TERA  # of a sheet
_LOOKING = (0.335 + 0.05 + 2 * 1.117) * _TERA  # the picture's embedding, the text's, and two latents
UNET_VALUES = 865_910_724
"""Of the published UNet."""


def operations(stage: str, steps: int) -> float:
    """Operations of a stage for one seed, with the published networks; 0 for one without networks."""
    each = 2 * (_VIEWS + _REFERENCE)  # with the picture and without it
    known = {
        "look": _LOOKING,
        "views": steps * each + _DECODING,
        "normal_views": steps * (each + 2 * _CONTROL) + _DECODING,
    }
    return known.get(stage, 0.0)
