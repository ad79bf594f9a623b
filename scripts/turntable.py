# SPDX-License-Identifier: GPL-3.0-or-later
"""Draw the draft engine's meshes of pictures from all sides.

    python scripts/turntable.py PICTURE... -o SHEET.png [--seed N] [--size PIXELS] [--normal-maps FOLDER] [--colours]

draws one row for each picture: the cut-out, then the mesh from the front and turned by 35, 90, 145 and 180 degrees,
grey under three lights, or in its colours all round. If the folder of normal maps has a file of the same name, a second
row shows the mesh made from that map.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from finishing import placed

from backend.arrays import UInt8Array
from backend.engines.draft.geometry import build
from backend.engines.draft.normals import estimate
from backend.errors import UserError
from backend.files.pictures import check_picture_path, read_picture, write_picture
from backend.flow.products import Cutout, Mesh, NormalMap, Picture
from backend.foreground.cut_out import cut_out
from backend.normals.image import from_picture
from backend.raster.render import render
from backend.texture.paint import paint

ANGLES = (0, 35, 90, 145, 180)
_BACKGROUND = 237


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", nargs="+", type=Path, metavar="PICTURE")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="SHEET.png")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=300, help="side of each view, in pixels")
    parser.add_argument(
        "--normal-maps", type=Path, metavar="FOLDER", help="maps of the same view, named as the pictures"
    )
    parser.add_argument("--colours", action="store_true", help="draw the meshes in their colours all round")
    options = parser.parse_args()
    try:
        check_picture_path(options.output, *options.pictures)
        rows = [row for path in options.pictures for row in _rows(path, options)]
        write_picture(options.output, np.concatenate(rows))
    except UserError as error:
        sys.exit(str(error))


def _rows(path: Path, options: argparse.Namespace) -> list[UInt8Array]:
    """One row, or two if there is a normal map for the picture."""
    picture = read_picture(path)
    cutout = cut_out(picture, 512, _ignore)
    maps: list[tuple[NormalMap, Picture | None]] = [(estimate(cutout, _ignore), None)]
    if options.normal_maps and (options.normal_maps / path.name).is_file():
        own = read_picture(options.normal_maps / path.name)
        maps.append((from_picture(cutout, own, _ignore), own))
    rows: list[UInt8Array] = []
    for normal_map, own in maps:
        mesh = placed(build(normal_map, options.seed, _ignore, estimated=own is None))
        if options.colours:
            mesh = paint(mesh, cutout, normal_map, picture, report=_ignore)
        rows.append(sheet_row(cutout, mesh, options.size))
        print(f"{path.name}: {len(mesh.triangles)} triangles", flush=True)
    return rows


def sheet_row(cutout: Cutout, mesh: Mesh, size: int) -> UInt8Array:
    """Return the cut-out over white and the mesh from all sides, uint8 (size, 6 size, 3)."""
    number = np.arange(size) * len(cutout.rgba) // size
    shown = cutout.rgba[np.ix_(number, number)].astype(np.float64)
    over_white = 255.0 + (shown[..., :3] - 255.0) * shown[..., 3:] / 255.0
    return np.concatenate(
        [over_white.astype(np.uint8), *(_over_grey(render(mesh, angle, size, coloured=True)) for angle in ANGLES)],
        axis=1,
    )


def _over_grey(picture: Picture) -> UInt8Array:
    """Return a picture without half-transparent pixels over grey, uint8 (H, W, 3)."""
    return np.where(picture[..., 3:] > 0, picture[..., :3], np.uint8(_BACKGROUND))


def _ignore(_step: int, _of: int) -> None:
    """Ignore a report."""


if __name__ == "__main__":
    main()
