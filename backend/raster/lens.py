# SPDX-License-Identifier: GPL-3.0-or-later
"""The angle of a lens that a picture's file names by its focal length before film of 35 mm."""

from math import atan, degrees, hypot

_DIAGONAL = hypot(36.0, 24.0)  # millimetres, of a frame of that film; equivalent lenses share the angle across it
_LONGEST = 5000.0


def degrees_across(focal: float, width: int, height: int) -> float:
    """The angle across a picture's width, in degrees, by its equivalent focal length in millimetres.

    Exif's FocalLengthIn35mmFilm is by the diagonal (CIPA DCG-001). Returns 0 for a length that no lens has.
    """
    if not 1.0 <= focal <= _LONGEST:
        return 0.0
    return 2 * degrees(atan(_DIAGONAL / 2 / focal * width / hypot(width, height)))
