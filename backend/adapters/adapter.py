# SPDX-License-Identifier: GPL-3.0-or-later
"""What an adapter is: everything that is done with one kind of product outside of engines."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np

from ..flow.products import Picture
from ..raster.resample import resample
from ..wire.limits import MAX_PREVIEW_SIDE
from ..wire.products import Product

P = TypeVar("P")


@dataclass(frozen=True)
class Adapter(Generic[P]):
    """All that is done with products of `type`.

    kind: its name on the wire. preview: a picture of it, uint8 (H, W, 4), whatever its size. draw: the same for
    contact sheets, if it takes too long for a preview of every stage. to_wire: as it travels. check_path: called with
    the path and with the files that must stay; refuses, before any work is done, what `write` could not write, raising
    UserError. files: the files that `write` makes at a path and that may be there already; none for a folder, which
    must be new. write: writes it to a path; the picture that it was made from colours what has no colours of its own.
    suffix: of the path by default, empty for a folder. about: what is reported of it, as JSON. sheet: a contact sheet,
    if it is several pictures. None stands for what is not done with it.
    """

    kind: str
    type: type[P]
    preview: Callable[[P], Picture] | None = None
    to_wire: Callable[[P], Product] | None = None
    check_path: Callable[..., None] | None = None
    write: Callable[[Path, P, Picture], None] | None = None
    suffix: str = ""
    about: Callable[[P], Mapping[str, Any]] = lambda _: {}
    draw: Callable[[P], Picture] | None = None
    files: Callable[[Path], tuple[Path, ...]] = lambda path: (path,)
    sheet: Callable[[P], Picture] | None = None


def thumbnail(pixels: Picture, most: int = MAX_PREVIEW_SIDE) -> Picture:
    """A picture, uint8 (H, W, 4), at most so many pixels a side."""
    scale = min(1.0, most / max(pixels.shape[:2]))
    height, width = (max(1, round(side * scale)) for side in pixels.shape[:2])
    return resample(pixels, (0, 0, pixels.shape[1], pixels.shape[0]), (height, width))


def with_three_channels(pixels: Picture) -> Picture:
    """Grey, uint8 (H, W), as (H, W, 3); colours as they are."""
    return np.repeat(pixels[..., None], 3, axis=2) if pixels.ndim == 2 else pixels
