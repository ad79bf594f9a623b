# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet: every picture and what was made of it, some dozens a page."""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ..files.outputs import library
from ..safe_files import replacing
from .manifest import Manifest
from .running import tile_path
from .summary import SUMMARY
from .tile import GREY, QUALITY, SIDE

COLUMNS = 4
ROWS = 12
_GAP = 8
_CAPTION = 16  # pixels


def sheet_is_current(out: Path, count: int) -> bool:
    """Whether a contact sheet of so many pictures is there and was drawn after the summary was last changed."""
    try:
        drawn = [(out / page).stat().st_mtime_ns for page in _pages(count)]
        return min(drawn) > (out / SUMMARY).stat().st_mtime_ns
    except OSError:
        return False


def write_sheet(manifest: Manifest, names: Sequence[str]) -> None:
    """Draw these pictures' contact sheet, and remove the pages behind it of an earlier one.

    Raises `UserError` if Pillow is missing, and OSError.
    """
    pages = _pages(len(names))
    for number, page in enumerate(pages):
        image = _page(manifest, names[number * COLUMNS * ROWS :][: COLUMNS * ROWS])
        with replacing(manifest.out / page) as file:
            image.save(file, "JPEG", quality=QUALITY)
    number = len(pages)
    while (surplus := manifest.out / _page_name(number)).exists():
        surplus.unlink()
        number += 1


def _pages(count: int) -> list[str]:
    """The names of the files of a contact sheet of so many pictures."""
    return [_page_name(number) for number in range(-(-count // (COLUMNS * ROWS)))]


def _page_name(number: int) -> str:
    return f"contact_sheet{f'_{number + 1}' if number else ''}.jpg"


def _page(manifest: Manifest, names: Sequence[str]) -> Any:  # noqa: ANN401 - a Pillow image
    image_module = library("PIL.Image", "Pillow", "draw the contact sheet")
    draw_module = library("PIL.ImageDraw", "Pillow", "draw the contact sheet")
    tiles = [*_tiles(manifest, names)]
    wide = max([SIDE, *(tile.width for _, tile in tiles if tile)]) + _GAP
    high = SIDE + _CAPTION + _GAP
    columns, rows = min(COLUMNS, len(tiles)), -(-len(tiles) // COLUMNS)
    page = image_module.new("RGB", (columns * wide + _GAP, rows * high + _GAP), (255, 255, 255))
    draw = draw_module.Draw(page)
    for number, (name, tile) in enumerate(tiles):
        left, top = _GAP + number % COLUMNS * wide, _GAP + number // COLUMNS * high
        page.paste(tile or image_module.new("RGB", (SIDE, SIDE), (GREY,) * 3), (left, top))
        entry = manifest.entries[name]
        ending = f": {entry.code or entry.state}" if entry.state != "done" else ""
        room = (wide - _GAP) // 6  # characters of the smallest font
        shown = f"{name}{ending}".encode("latin-1", "replace").decode("latin-1")  # what every font of Pillow has
        draw.text((left, top + SIDE + 2), shown if len(shown) <= room else f"{shown[: room - 3]}...", (60, 60, 60))
    return page


def _tiles(manifest: Manifest, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Each name with its tile; None if there is none."""
    image_module = library("PIL.Image", "Pillow", "draw the contact sheet")
    for name in names:
        tile = None
        with contextlib.suppress(OSError), image_module.open(tile_path(manifest.out, name)) as image:
            tile = image.convert("RGB")
        yield name, tile
