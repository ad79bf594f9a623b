# SPDX-License-Identifier: GPL-3.0-or-later
"""The sheet of pictures that `evaluate` writes: whether it could be, before anything is measured."""

import math
from collections.abc import Iterable
from pathlib import Path

from ..errors import UserError
from ..files.pictures import check_picture_path

_HIGHEST = {".webp": 16383, ".jpg": 65500, ".jpeg": 65500}  # pixels that a format holds


def check_sheet(sheet: Path, read: Iterable[Path], rows: int, height: int) -> None:
    """Refuse a sheet that could not be written, or would replace a file that is read.

    rows: how many pictures it shows, each `height` pixels high. Raises `UserError`.
    """
    check_picture_path(sheet, *read)
    suffix = sheet.suffix.lower()
    if rows * height > _HIGHEST.get(suffix, math.inf):
        sentence = f"A sheet of {rows} pictures is too high for the format {suffix[1:]}."
        raise UserError("bad-output", sentence, "Let its name end in .png.")
