# SPDX-License-Identifier: GPL-3.0-or-later
"""A flow model learns on from published weights, up to a step; a later call goes on, or finds that it is done."""

from collections.abc import Callable
from pathlib import Path

from ...safe_files import read_json, write_json
from ..core.curve import read_curve
from ..core.devices import Devices
from ..core.loop import Run, train
from ..norld.config import FlowConfig
from ..norld.normal_regularisation import FrozenDecoder
from ..norld.objects import Objects
from ..norld.task import FlowTask

TRAINED = "trunk"
"""The stem of a training's network in its folder."""

_DONE = "done.json"  # beside it: at which step it ended


def is_done(folder: Path, steps: int) -> bool:
    """Whether the training in a folder has taken so many steps, and written its network."""
    try:
        done = read_json(folder / _DONE)
    except (OSError, ValueError):
        return False
    return isinstance(done, dict) and isinstance(done.get("steps"), int) and done["steps"] >= steps


def learn(
    config: FlowConfig,
    objects: Objects,
    start: Path,
    folder: Path,
    steps: int,
    place: Devices,
    *,
    decoder: FrozenDecoder | None,
    seed: int,
    minutes: float | None,
    say: Callable[[str], None],
) -> bool:
    """Train up to a step, or for so many minutes; returns whether the step is reached, in all processes alike.

    Raises `UserError`.

    start: the stem of the published weights. decoder: with it normals count, too.
    """
    task = FlowTask(config, objects, seed, decoder, start)
    path = train(Run(task, folder, "trunk", minutes, steps, config.settings), say)
    done = False
    if place.index == 0:  # it writes the curve, which others could read too early
        lines = read_curve(path.with_suffix(".jsonl"))
        done = bool(lines) and lines[-1]["step"] >= steps
        if done:
            write_json(folder / _DONE, {"steps": steps})
    return place.agree(wish=done)
