# SPDX-License-Identifier: GPL-3.0-or-later
"""The angle of a lens that a picture's file names by its focal length before film of 35 mm."""

from math import atan, degrees, hypot

_DIAGONAL = hypot(36.0, 24.0)  # millimetres, of a frame of that film; equivalent lenses share the angle across it
_SHORTEST, _LONGEST = 6.0, 5000.0  # millimetres; what is shorter is a fisheye, which draws no straight lines


def degrees_across(focal: float, width: int, height: int) -> float:
    """The angle across a picture's width, in degrees, by its equivalent focal length in millimetres.

    Exif's FocalLengthIn35mmFilm is by the diagonal (CIPA DCG-001). Returns 0 for a length that no lens has that
    draws straight lines; what it returns else is below 150.
    """
    if not _SHORTEST <= focal <= _LONGEST:
        return 0.0
    return 2 * degrees(atan(_DIAGONAL / 2 / focal * width / hypot(width, height)))
