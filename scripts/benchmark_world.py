# SPDX-License-Identifier: GPL-3.0-or-later
"""What the engine `world` takes, and how well its continuation closes, for one picture at one width.

    python scripts/benchmark.py world PICTURE [--width 2048] [--fov 60]

Seconds are the processor's, by stage; memory is the most that the process had, with the picture and Python itself, so
run it once a width. seam: the largest difference of the first and the last column, beside that of two neighbours in
the 64 columns next to them. poles: the largest difference within the first and the last row. picture: the largest
difference of the panorama, before its highlights are lifted, from the picture as it was placed. All are in linear
light, 1 is white.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from benchmark import peak_megabytes

from backend.engines.world.continuing import continued
from backend.engines.world.light import lifted
from backend.engines.world.placing import placed
from backend.files.pictures import read_picture
from backend.flow.products import Noted


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py world", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("picture", type=Path, metavar="PICTURE")
    parser.add_argument("--width", default="2048", metavar="N", help="pixels all around (default 2048)")
    parser.add_argument("--fov", type=float, default=60.0, help="degrees across the picture (default 60)")
    options = parser.parse_args(arguments)
    picture = read_picture(options.picture)
    times = [time.process_time()]
    made = placed(picture, fov=options.fov, pitch=0.0, width=options.width, report=_unwatched)
    assert not isinstance(made, Noted)  # noqa: S101 - the lens is given
    times.append(time.process_time())
    panorama = continued(made, report=_unwatched)
    times.append(time.process_time())
    lifted(panorama, highlights=4.0, report=_unwatched)
    times.append(time.process_time())
    light = panorama.light
    beside = np.concatenate([light[:, -64:-1] - light[:, -63:], light[:, :63] - light[:, 1:64]], axis=1)
    poles = [float(np.ptp(light[row], axis=0).max()) for row in (0, -1)]
    place, continuing, lift = np.diff(times)
    print(f"place {place:.2f} s, continue {continuing:.2f} s, lift {lift:.2f} s; {peak_megabytes()} MB")
    print(f"seam {np.abs(light[:, 0] - light[:, -1]).max():.1e}, neighbours {np.abs(beside).max():.1e}")
    print(f"poles {poles[0]:.1e} above, {poles[1]:.1e} below")
    print(f"picture {np.abs(light - made.light)[made.known].max():.1e}")


def _unwatched(_step: int, _of: int) -> None:
    """Nobody watches."""
