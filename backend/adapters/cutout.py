# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out: seen as it is, given as its mask in the whole picture's frame."""

from pathlib import Path

from ..files.pictures import check_picture_path, write_picture
from ..flow.products import Cutout, Picture
from ..foreground.mask import mask_of
from ..wire import products as wire
from .adapter import Adapter, with_three_channels


def _to_wire(cutout: Cutout) -> wire.Cutout:
    return wire.Cutout(mask_of(cutout))


def _write(path: Path, cutout: Cutout, _picture: Picture) -> None:
    write_picture(path, with_three_channels(mask_of(cutout)))


ADAPTER = Adapter("cutout", Cutout, lambda cutout: cutout.rgba, _to_wire, check_picture_path, _write, ".png")
