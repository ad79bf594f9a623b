# SPDX-License-Identifier: GPL-3.0-or-later
"""Views that no training sees, with what is solid along their rays: by them sheet networks are compared."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from ...arrays import BoolArray, Float32Array
from ...flow.products import Picture
from ...geometry.features import SIDE
from ...raster.layers import read_arrays
from ...raster.masks import overlap
from ...safe_files import replacing
from ..core.devices import lowered
from ..core.task import HELD_OUT_SEED
from ..shapes.field import distances
from .batches import prepare
from .config import Config
from .network import Sheets, sheets
from .views import Scene, Views, draw_scenes, estimated_normals, gathered, part, rays, view

_VIEWS = 2  # of a shape
_EVERY = 2  # pixels from one column of voxels to the next
_LAYERS = 72
_REACH = 1.5  # halves of the side before and behind the middle
_AT_ONCE = 16
_SHOWN = 10


class Scores(NamedTuple):
    """How near sheets are to the truth; means over views.

    front, back, thickness: mean absolute errors, in percent of the outline's longer side, after
    the median of the fronts' difference is taken away.
    before, behind: mean angles in degrees between the sheets' normals, by differences, and the true ones. side, top,
    volume: intersections over unions in percent of what is seen from the side and from above, and of what is solid.
    """

    front: float
    back: float
    thickness: float
    before: float
    behind: float
    side: float
    top: float
    volume: float


@dataclass(frozen=True)
class Truth:
    """Held-out views. true, seen: the views with true and with estimated normals.

    solid: bool (N, S / 2, S / 2, 72), what is solid at every second pixel's ray, from behind to the front.
    """

    true: Views
    seen: Views
    solid: BoolArray


class HeldOut:
    """The held-out views of a configuration: made once, kept in a folder's file `held_out.npz`."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._config = config
        self._truth = _kept(folder / "held_out.npz", config.held_out)

    def measure(self, network: nn.Module) -> Mapping[str, float]:
        """Return the mean scores with true and with estimated normals, and how wrong the pose is.

        Degrees within which something is known in three of four views: `up_quartile`, what is up; `sure_quartile`, the
        same of the half of the views with the least doubt; `elevation_quartile`, the camera's. `nearness`: the mean
        error.
        """
        result: dict[str, float] = {}
        for name, views in (("true", self._truth.true), ("estimated", self._truth.seen)):
            found = predict(network, views, self._config)
            scores = judge(views, found.front.numpy()[:, 0], found.back.numpy()[:, 0], self._truth.solid)
            result[f"held_out_{name}"] = scores.thickness
            result |= {f"{name}_{key}": value for key, value in scores._asdict().items()}
            up, truth = torch.nn.functional.normalize(found.up, dim=1), torch.from_numpy(views.up)
            angles = torch.rad2deg(torch.arccos((up * truth).sum(dim=1).clamp(-1, 1)))
            elevations = torch.rad2deg(
                (torch.arcsin(up[:, 2].clamp(-1, 1)) - torch.arcsin(truth[:, 2].clamp(-1, 1))).abs()
            )
            result[f"{name}_nearness"] = float((found.nearness - torch.from_numpy(views.nearness)).abs().mean())
            result[f"{name}_up_quartile"] = float(angles.quantile(0.75))
            result[f"{name}_sure_quartile"] = float(angles[found.doubt <= found.doubt.median()].quantile(0.75))
            result[f"{name}_elevation_quartile"] = float(elevations.quantile(0.75))
        return result

    def sheet(self, network: nn.Module) -> Picture:
        """Show the first views' normals, and the true and the predicted front and back from before and behind."""
        views = self._truth.seen
        found = predict(network, views, self._config)
        rows = []
        for index in range(0, min(len(views.mask), _VIEWS * _SHOWN), _VIEWS):
            mask = views.mask[index]
            panels = [views.planes[index, ..., :3].astype(np.float32)]
            for front, back in ((views.front, views.back), (found.front[:, 0].numpy(), found.back[:, 0].numpy())):
                panels += [_shaded(front[index], mask), _shaded(-back[index][:, ::-1], mask[:, ::-1])]
            rows.append(
                np.concatenate(
                    [np.where(panel.any(axis=2, keepdims=True), panel / 2 + 0.5, 1) for panel in panels], axis=1
                )
            )
        return np.rint(np.clip(np.concatenate(rows), 0, 1) * 255).astype(np.uint8)


@torch.no_grad()
def predict(network: nn.Module, views: Views, config: Config, quantile: float = 0.5) -> Sheets:
    """Return a network's sheets, on the CPU."""
    device = next(network.parameters()).device
    found: list[Sheets] = []
    for first in range(0, len(views.mask), _AT_ONCE):
        some = part(views, slice(first, first + _AT_ONCE))
        batch = prepare(some, np.full(len(some.mask), quantile)).to(device)
        with lowered(config.schedule.precision, device):
            answer, pose = network(batch.planes, batch.quantile)
        found.append(sheets(batch.planes, answer, pose))
    return Sheets(*(torch.cat(parts).cpu() for parts in zip(*found, strict=True)))


def judge(views: Views, front: Float32Array, back: Float32Array, solid: BoolArray) -> Scores:
    """Return the mean scores of fronts and backs, (N, S, S) each."""
    scores = [_judge_one(part(views, k), front[k], back[k], solid[k]) for k in range(len(front))]
    return Scores(*(float(np.mean(column)) for column in zip(*scores, strict=True)))


def _judge_one(truth: Views, front: Float32Array, back: Float32Array, solid: BoolArray) -> Scores:
    """Judge the sheets, (S, S) each, of a single view."""
    mask, true_front, true_back = truth.mask[0], truth.front[0], truth.back[0]
    shift = np.median((true_front - front)[mask])
    front, back = front + shift, np.minimum(back, front) + shift
    rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
    unit = 50 * len(mask) / float(max(np.ptp(rows) + 1, np.ptp(columns) + 1))
    pairs = ((front, true_front), (back, true_back), (front - back, true_front - true_back))
    front_error, back_error, thickness = (unit * float(np.abs(found - true)[mask].mean()) for found, true in pairs)
    coarse = slice(None, None, _EVERY)
    z = layers()
    filled = (z <= front[coarse, coarse, None]) & (z >= back[coarse, coarse, None]) & mask[coarse, coarse, None]
    side, top = (100 * overlap(filled.any(axis=axis), solid.any(axis=axis)) for axis in (1, 0))
    angles = _angle(front, truth.before[0], mask), _angle(back, -truth.behind[0], mask)
    return Scores(front_error, back_error, thickness, *angles, side, top, 100 * overlap(filled, solid))


def layers() -> Float32Array:
    """Return the depths of the voxels' layers, from behind to the front."""
    return ((np.arange(_LAYERS) + 0.5) / _LAYERS * 2 - 1).astype(np.float32) * np.float32(_REACH)


def _angle(height: Float32Array, normals: Float32Array, mask: BoolArray) -> float:
    found, inside = _normals(height, mask)
    cosine = (found * normals.astype(np.float32)).sum(axis=2)[inside]
    return float(np.degrees(np.arccos(cosine.clip(-1, 1))).mean()) if inside.any() else 0.0


def _normals(height: Float32Array, mask: BoolArray) -> tuple[Float32Array, BoolArray]:
    """Return normals by central differences, (S, S, 3), and where all four neighbours are inside."""
    step = 4 / len(height)
    x, y = np.zeros_like(height), np.zeros_like(height)
    x[:, 1:-1] = (height[:, 2:] - height[:, :-2]) / step
    y[1:-1] = (height[:-2] - height[2:]) / step
    inside = np.zeros_like(mask)
    inside[1:-1, 1:-1] = mask[1:-1, 1:-1] & mask[1:-1, 2:] & mask[1:-1, :-2] & mask[2:, 1:-1] & mask[:-2, 1:-1]
    n = np.dstack([-x, -y, np.ones_like(x)])
    return n / np.linalg.norm(n, axis=2, keepdims=True), inside


def _shaded(height: Float32Array, mask: BoolArray) -> Float32Array:
    """Return what a height's normals look like, (S, S, 3), zeros off the mask."""
    normals, _ = _normals(height, mask)
    return np.where(mask[..., None], normals, 0)


def _kept(path: Path, shapes: int) -> Truth:
    """Read held-out views from a file, or make them and write it beside, then in place."""
    kept = _read(path)
    if kept is not None and len(kept.true.mask) == len(kept.seen.mask) == len(kept.solid) == shapes * _VIEWS:
        return kept
    truth = make_truth(shapes)
    parts = {
        f"{kind}_{name}": getattr(views, name)
        for kind, views in (("true", truth.true), ("seen", truth.seen))
        for name in Views.__dataclass_fields__
    }
    with replacing(path) as file:
        np.savez_compressed(file, solid=np.packbits(truth.solid, axis=-1), **parts)
    return truth


def _read(path: Path) -> Truth | None:
    """Read what `_kept` wrote; None if there is no such file, or it is damaged."""
    try:
        arrays = read_arrays(path)
        true, seen = (
            Views(*(arrays[f"{kind}_{name}"] for name in Views.__dataclass_fields__)) for kind in ("true", "seen")
        )
        return Truth(true, seen, np.unpackbits(arrays["solid"], axis=-1).astype(np.bool_))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def make_truth(shapes: int) -> Truth:
    """Make the held-out views: some of each shape."""
    true: list[Views] = []
    seen: list[Views] = []
    solid: list[BoolArray] = []
    for index in range(shapes):
        rng = np.random.default_rng([HELD_OUT_SEED, index])
        for scene in draw_scenes(rng, _VIEWS):
            true.append(view(scene, None))
            seen.append(view(scene, estimated_normals(scene, rng)))
            solid.append(_solid(scene))
    return Truth(gathered(true), gathered(seen), np.stack(solid))


def _solid(scene: Scene) -> BoolArray:
    """Return what is solid along every second ray."""
    camera = scene.camera
    back = camera.turn[2]
    mask = scene.seen.hit & scene.behind.hit
    shift = (scene.seen.places @ back / camera.half)[mask].mean()
    places = rays(camera, SIDE, layers().astype(np.float64) + shift)[::_EVERY, ::_EVERY]
    inside = distances(np.ascontiguousarray(places.reshape(-1, 3).T), scene.shape, 1, 2 * camera.half / SIDE) <= 0
    return inside.reshape(places.shape[:3])
