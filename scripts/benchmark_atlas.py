# SPDX-License-Identifier: GPL-3.0-or-later
"""How a surface is laid out in the image of its colours, and what colouring takes.

    python scripts/benchmark.py atlas [PICTURE ...] [--sizes N ...] [--million] [--memory]

The draft engine makes a mesh of each picture (those of `examples/`, if none is given), and the mesh is coloured: first
from the picture as it is, in the image that it gets if nothing is said, then in images of 1024, 2048 and 4096 pixels a
side, for which the cut-out's square of the picture is enlarged to twice the image's, so that the image is the largest
and charts fill it. With --million the first picture's mesh is made of fewer faces, each is divided into 16, so that
there are about a million, and it is coloured in an image of 2048 pixels.

Printed are, for each image: the side that it got; the charts; the share of its pixels that shows no surface; the
stretch of the triangles, which is the ratio of the singular values of the map from the surface to the image (Sander et
al., Texture Mapping Progressive Meshes, SIGGRAPH 2001), the mean by area and the 95th percentile; the factor by which a
triangle's scale of area differs from its chart's, likewise; and for each part of the stage the seconds of processor
time, or, with --memory, the most memory in MB over what there was before, whose count takes time itself.
"""

import argparse
import time
import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from finishing import placed

from backend.arrays import Float32Array, Float64Array
from backend.detail import refine
from backend.engines.draft import geometry, normals
from backend.files.pictures import read_picture
from backend.flow.products import Crop, Cutout, Mesh, NormalMap, Picture
from backend.foreground.cut_out import cut_out
from backend.mesh.check import vertex_components
from backend.mesh.stages import FACES
from backend.raster.resample import resample
from backend.raster.triangles import hits
from backend.texture.charts import neighbours
from backend.texture.paint import MOST, paint

PARTS = ("sight", "layout", "sides", "painting", "filling")
"""What `paint` does, one after the other; it reports a step of its own at the end of each."""
_SIZES = (1024, 2048, 4096)
_EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
_SIDE = 512  # of the cut-outs, in pixels
_MILLION = 1_000_000
_MOST = 100.0  # that a stretch or a scale counts: of what is seen edge-on they are without bound


class Layout(NamedTuple):
    """How a surface lies in its image. waste: the share of the image without surface. The rest: mean, 95th percentile.

    stretch: the ratio of the singular values. scale: the factor, at least 1, between the scale of area and the chart's.
    """

    charts: int
    waste: float
    stretch: tuple[float, float]
    scale: tuple[float, float]


class Subject(NamedTuple):
    """What is coloured. mesh: its uv is (V, 2), in the frame of the cut-out."""

    mesh: Mesh
    cutout: Cutout
    normal_map: NormalMap
    picture: Picture


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py atlas", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("pictures", type=Path, nargs="*", metavar="PICTURE")
    parser.add_argument("--sizes", type=int, nargs="+", default=_SIZES, metavar="N", help="sides of the images")
    parser.add_argument("--million", action="store_true", help="colour a mesh of a million triangles as well")
    parser.add_argument("--memory", action="store_true", help="count memory, in MB, instead of seconds")
    options = parser.parse_args(arguments)
    paths = options.pictures or sorted(_EXAMPLES.glob("*.png"))
    heads = f"{'':12}{'faces':>8}{'image':>6}{'charts':>7}{'waste':>7}{'stretch':>14}{'scale':>14}"
    print(heads + "".join(f"{part:>10}" for part in PARTS))
    rows: dict[int | None, list[Float64Array]] = {size: [] for size in (None, *options.sizes)}
    for path in paths:
        subject = made(path, int(FACES.default))
        for size, known in rows.items():
            known.append(measure(subject, size, memory=options.memory))
            _print(path.stem, known[-1])
    for known in rows.values():
        _print("mean", np.mean(known, axis=0))
    if options.million:
        subject = made(paths[0], _MILLION // 16)
        subject = subject._replace(mesh=halved(halved(subject.mesh)))
        _print(paths[0].stem, measure(subject, 2048, memory=options.memory))


def _print(name: str, row: Float64Array) -> None:
    faces, image, charts, waste, *factors = row[:8]
    print(
        f"{name:12}{faces:8.0f}{image:6.0f}{charts:7.0f}{waste:7.1%}"
        + "".join(f"{one:7.2f}" for one in factors)
        + "".join(f"{one:10.2f}" for one in row[8:]),
        flush=True,
    )


def made(path: Path, faces: int) -> Subject:
    """The draft engine's mesh of a picture."""
    picture = read_picture(path)
    cutout = cut_out(picture, _SIDE, _ignore)
    normal_map = normals.estimate(cutout, _ignore)
    return Subject(placed(geometry.build(normal_map, 0, _ignore), faces), cutout, normal_map, picture)


def halved(mesh: Mesh) -> Mesh:
    """The mesh with every edge divided in the middle, and so every triangle into four."""
    ends, sides = refine.edges_of(mesh.triangles)
    return refine.halved(mesh, ends, sides, np.ones(len(ends), np.bool_))


def measure(subject: Subject, size: int | None, *, memory: bool = False) -> Float64Array:
    """The numbers of one image, float64 (13,): faces, side, `Layout`, and for each part the seconds, or the MB.

    size: the image's side; None for the one that the picture gets.
    """
    own = subject if size is None else _enlarged(subject, 2 * size)
    taken: list[float] = []
    gauge, last = _memory() if memory else _clock(), 0

    def report(step: int, _of: int) -> None:
        nonlocal last
        if step != last:
            taken.append(gauge())
            last = step

    painted = paint(own.mesh, own.cutout, own.normal_map, own.picture, most=size or MOST, report=report)
    tracemalloc.stop()
    if len(taken) != len(PARTS):
        raise RuntimeError(f"colouring has {len(taken)} parts now")
    assert painted.texture is not None and painted.texture.base_colour is not None  # noqa: S101, PT018 - just painted
    side = len(painted.texture.base_colour)
    layout = judge(painted.vertices[painted.triangles].astype(np.float64), painted.corner_uv, side)
    numbers = (layout.charts, layout.waste, *layout.stretch, *layout.scale)
    return np.array([len(painted.triangles), side, *numbers, *taken])


def _enlarged(subject: Subject, side: int) -> Subject:
    """The same with a picture that is the cut-out's square alone, of so many pixels a side."""
    crop = subject.cutout.crop
    half = resample(subject.picture, (crop.left, crop.top, crop.side, crop.side), (side // 2, side // 2), fill=0.0)
    picture = half.repeat(2, axis=0).repeat(2, axis=1)
    cutout = replace(subject.cutout, crop=Crop(0.0, 0.0, float(side), side, side))
    return subject._replace(cutout=cutout, picture=picture)


def _clock() -> Callable[[], float]:
    """A gauge: the seconds of processor time since it was last asked."""
    last = time.process_time()

    def gauge() -> float:
        nonlocal last
        before, last = last, time.process_time()
        return last - before

    return gauge


def _memory() -> Callable[[], float]:
    """A gauge: the most memory since it was last asked, in MB over what there is now."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]

    def gauge() -> float:
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.reset_peak()
        return (most - before) / 2**20

    return gauge


def judge(corners: Float64Array, uv: Float32Array, size: int) -> Layout:
    """How triangles, float64 (T, 3, 3), lie in an image of so many pixels a side by their UVs, float32 (T, 3, 2)."""
    number = np.unique(np.ascontiguousarray(uv).view(np.int64), return_inverse=True)[1].reshape(-1, 3)
    pairs = neighbours(number.astype(np.int32))
    of = vertex_components(pairs[:, [0, 1, 1]].astype(np.int32), len(uv))
    _, of = np.unique(of, return_inverse=True)
    places = np.concatenate([uv.astype(np.float64) * size, np.zeros((len(uv), 3, 1))], axis=2)
    shown = np.unique(hits(places, (size, size))[0])
    area, large, small = _singular(corners, places[..., :2])
    solid = area > 0
    area, large, small, of = area[solid], large[solid], small[solid], of.reshape(-1)[solid]
    own = large * small
    charts = np.bincount(of, own * area) / np.maximum(np.bincount(of, area), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        stretch = np.nan_to_num(large / small, nan=_MOST).clip(max=_MOST)
        scale = np.nan_to_num(own / charts[of], nan=_MOST)
        scale = np.maximum(scale, 1 / scale).clip(max=_MOST)
    return Layout(len(charts), 1 - len(shown) / size**2, _by_area(stretch, area), _by_area(scale, area))


def _singular(corners: Float64Array, places: Float64Array) -> tuple[Float64Array, Float64Array, Float64Array]:
    """The areas of triangles and the singular values of the maps to their places in a plane, (T, 3, 2)."""
    one, two = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    length = np.maximum(np.linalg.norm(one, axis=1), 1e-300)
    area = np.linalg.norm(np.cross(one, two), axis=1)
    # In the triangle's own plane, with the first edge along x, the corners are 0, (length, 0) and (along, height).
    along, height = (one * two).sum(axis=1) / length, np.maximum(area / length, 1e-300)
    first, second = places[:, 1] - places[:, 0], places[:, 2] - places[:, 0]
    right = first / length[:, None]
    up = (second - right * along[:, None]) / height[:, None]
    squares = (right**2 + up**2).sum(axis=1)
    twist = np.abs(right[:, 0] * up[:, 1] - right[:, 1] * up[:, 0])
    root = np.sqrt(np.maximum(squares**2 - 4 * twist**2, 0))
    large = np.sqrt((squares + root) / 2)
    return area / 2, large, twist / np.maximum(large, 1e-300)


def _by_area(values: Float64Array, area: Float64Array) -> tuple[float, float]:
    """The mean and the 95th percentile, by area."""
    order = np.argsort(values)
    share = np.cumsum(area[order])
    last = values[order][np.searchsorted(share, 0.95 * share[-1])]
    return float(np.average(values, weights=area)), float(last)


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
