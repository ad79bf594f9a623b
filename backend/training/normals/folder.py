# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictures with their true normals: something to measure by, or to learn from.

It holds `images`, `mask` and `normals`, each with one file a picture, of the same name. To learn from, a picture is
framed anew every time that it is drawn; the folder takes the place of what `shapes` makes while training goes on.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ...arrays import Float32Array
from ...errors import UserError
from ...flow.products import Crop, NormalMap, Picture
from ...raster.resample import crop_normals, crop_resize
from ...raster.vectors import unit
from .samples import Samples

_CLOSEST, _LOOSEST = 1.05, 1.5  # a frame's side over the object's longer side

Read = Callable[[Path], Picture]
"""What reads a picture's file, as `files.pictures.read_picture` does."""


@dataclass(frozen=True)
class Pictured:
    """A picture and its truth.

    picture: uint8 (H, W, 4), sRGB, straight alpha, which is the mask's grey. stored: uint8 (H, W, 3), the map as it is
    in its file. normals: float32 (H, W, 3), unit, camera space, x right, y up, z to the viewer.
    """

    name: str
    picture: Picture
    stored: NDArray[np.uint8]
    normals: Float32Array


def names(folder: Path) -> tuple[str, ...]:
    """Return the pictures' names in order. Raises `UserError` if there is none, or one has no mask or map."""
    found = tuple(sorted(path.name for path in (folder / "images").glob("*") if path.is_file()))
    if not found:
        raise UserError(
            "no-examples", f"There are no pictures in {folder / 'images'}.", "Give a folder with images, mask, normals."
        )
    for path in (folder / part / name for name in found for part in ("mask", "normals")):
        if not path.is_file():
            advice = "Give every picture a mask and a normal map of its name, or take the picture out."
            raise UserError("no-picture", f"There is no file “{path}”.", advice)
    return found


def pictured(folder: Path, name: str, read: Read, *, x_left: bool = False) -> Pictured:
    """Read one picture. With `x_left` the maps' red points left.

    Raises `UserError` if the picture lacks its mask or map, or they differ in size.
    """
    colours, mask, stored = (read(folder / part / name)[..., :3] for part in ("images", "mask", "normals"))
    if not colours.shape == mask.shape == stored.shape:
        raise UserError("bad-example", f"The picture, mask and map of {name} differ in size.", "Make them alike.")
    normals = stored.astype(np.float32) / np.float32(127.5) - 1
    normals = unit(normals)
    if x_left:
        normals[..., 0] *= -1
    grey = np.rint(mask @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)
    return Pictured(name, np.dstack([colours, grey]), stored, normals)


@dataclass(frozen=True)
class Pictures:
    """A folder as a `samples.Source`. names: its `names`; count: pictures to a block.

    What comes is a pure function of seed, block and size, as long as the folder's files stay as they are; every picture
    comes once before any comes again.
    """

    folder: Path
    names: tuple[str, ...]
    read: Read
    count: int

    def __call__(self, seed: int, index: int, size: int) -> Samples:
        """Return block `index` of a seed, `count` pictures of size x size pixels.

        Raises `UserError` if a picture cannot be read, or its mask is empty.
        """
        drawn = [self._framed(seed, index * self.count + place, size) for place in range(self.count)]
        rgba, normals, mask = zip(*drawn, strict=True)
        return Samples(np.stack(rgba), np.stack(normals), np.stack(mask))

    def _framed(self, seed: int, place: int, size: int) -> tuple[Picture, Float32Array, NDArray[np.bool_]]:
        turn, which = divmod(place, len(self.names))
        order = np.random.default_rng((seed, turn)).permutation(len(self.names))
        whole = pictured(self.folder, self.names[order[which]], self.read)
        if not (whole.picture[..., 3] > 127).any():
            sentence, advice = f"The mask of {whole.name} is empty.", "Take the picture out, or mend its mask."
            raise UserError("bad-example", sentence, advice)
        crop = _draw_crop(np.random.default_rng((seed, turn, which)), whole.picture[..., 3])
        rgba = crop_resize(whole.picture, crop.left, crop.top, crop.side, size, fill=0)
        alpha = whole.picture[..., 3].astype(np.float32) / 255
        truth = crop_normals(NormalMap(whole.normals, alpha), crop, size)
        mask = truth.alpha >= 0.5
        return rgba, truth.normals * mask[..., None], mask


def _draw_crop(random: np.random.Generator, alpha: NDArray[np.uint8]) -> Crop:
    """Draw a square that holds the whole object."""
    rows, columns = (np.flatnonzero((alpha > 127).any(axis=axis)) for axis in (1, 0))
    height, width = np.ptp(rows) + 1, np.ptp(columns) + 1
    side = max(height, width) * random.uniform(_CLOSEST, _LOOSEST)
    left, top = columns[0] - random.uniform() * (side - width), rows[0] - random.uniform() * (side - height)
    return Crop(float(left), float(top), float(side), alpha.shape[1], alpha.shape[0])
