# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pictures of a job on the disk have arrived in this file, and where the grid is that they stand in.

A scene keeps both as a custom property: they are saved with it, and undone with what has arrived. So what the artist
has deleted since does not come again, and what was not saved does.
"""

from collections.abc import Mapping
from typing import Any

import bpy
import numpy as np

from .grid import Grid

KEY = "hi3dgen_folder_jobs"  # on a scene: by the job's name, what `note` writes


def note(scene: bpy.types.Scene, job: str, number: int, seed: int, grid: Grid) -> None:
    """Keep that the result of this seed has arrived, of the picture with this number, in a grid that has its place."""
    jobs: dict[str, dict[str, Any]] = scene[KEY].to_dict() if KEY in scene else {}
    known = jobs.get(job, {})
    whole, partly = {*known.get("arrived", ())}, {**known.get("partly", {})}
    seeds = {*arrived_seeds(job, number), seed}
    partly[str(number)] = sorted(seeds)
    if len(seeds) >= grid.count:
        whole.add(number)
        del partly[str(number)]
    jobs[job] = {"arrived": sorted(whole), "partly": partly, "used": grid.used, "side": grid.side}
    if grid.box is not None:
        jobs[job]["box"] = [float(value) for value in grid.box.reshape(-1)]
    scene[KEY] = jobs


def jobs() -> set[str]:
    """The names of the jobs of which something has arrived in this file."""
    return {name for scene in bpy.data.scenes for name in scene.get(KEY, {})}


def scene_with(job: str) -> bpy.types.Scene | None:
    """The first scene of this file that a job's results have arrived in."""
    return next((scene for scene in bpy.data.scenes if scene.library is None and job in scene.get(KEY, {})), None)


def arrived(job: str) -> set[int]:
    """The numbers of the pictures of which all results have arrived in this file."""
    return {number for scene in bpy.data.scenes for number in _known(scene, job).get("arrived", ())}


def arrived_seeds(job: str, number: int) -> set[int]:
    """The seeds whose results have arrived in this file, of a picture of which not all have."""
    parts = [_known(scene, job).get("partly", {}) for scene in bpy.data.scenes]
    return {seed for part in parts for seed in part.get(str(number), ())}


def grid_in(scene: bpy.types.Scene, job: str, pictures: int, count: int) -> Grid:
    """The grid of a job in a scene, to go on with; one without a place if nothing has arrived there."""
    known, grid = _known(scene, job), Grid(pictures, count)
    if "box" in known:
        grid.box = np.array(known["box"], np.float64).reshape(2, 3)
        grid.side, grid.used = known["side"], known["used"]
    return grid


def _known(scene: bpy.types.Scene, job: str) -> Mapping[str, Any]:
    return scene.get(KEY, {}).get(job, {})
