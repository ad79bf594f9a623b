# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of a batch in this Blender: each lands in the scene, is exported, and is removed again."""

import contextlib
import sys
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import bpy

from ..backend.batch.lines import PICTURE
from ..backend.batch.manifest import fingerprints
from ..backend.batch.names import file_stem
from ..backend.batch.running import Ended, Progressed, Task, end_of
from .errors import AddonError
from .generate import submit, wait
from .link import runtime
from .link.job import Job
from .scene.landing import PRODUCT, RECIPE, SEEDS
from .scene.objects import datablocks


def execute(tasks: Iterator[Task], progressed: Progressed) -> Generator[Ended, None, None]:
    """See `Executor`. The file is left as it was: a thousand pictures take no more memory than one."""
    for task in tasks:
        yield _make(task, progressed)


def _make(task: Task, progressed: Progressed) -> Ended:
    """Make one picture's results; never raises `AddonError`."""
    started = time.monotonic()
    read = fingerprints(task.inputs)
    runtime.session().try_again()  # a picture that the backend could not bear must not end the others
    before = datablocks()
    notes: list[str] = []
    error: AddonError | None = None
    try:
        error = _generated(task, progressed)
        notes = _write(task, datablocks() - before)
    except AddonError as raised:
        error = error or raised
    finally:
        bpy.data.batch_remove(datablocks() - before)
    return end_of(task, started, read, notes, error)


def _generated(task: Task, progressed: Progressed) -> AddonError | None:
    """Let the results land; returns what came in between."""
    request = task.request
    job = None

    def watch(job: Job) -> None:
        if job.live and job.progress is not None:
            progressed(task.name, job.progress.label, job.progress.done)

    try:
        inputs = {name: Path(path) for name, path in task.inputs.items()}
        job = submit(
            bpy.context.scene,
            inputs.pop(PICTURE),
            request["engine"],
            request["seed"],
            settings=request["settings"],
            inputs=inputs,
            count=request["count"],
        )
        wait(job, watch)
    except AddonError as error:
        if job:
            runtime.session().cancel(job)  # nobody is there who could try to land the rest again
        return error
    return None


def _write(task: Task, new: set[Any]) -> list[str]:
    """Write the products that are asked for into the task's folder; returns the notes. Raises `AddonError`."""
    *others, main = task.request["products"]
    several = task.request["count"] > 1
    path = Path(task.folder)
    missing: list[str] = []
    meshes = [thing for thing in new if isinstance(thing, bpy.types.Object) and thing.type == "MESH"]
    try:
        for name in (*others, main):
            own = [thing for thing in meshes if thing[PRODUCT] == name]
            images = [] if own else [thing for thing in new if thing.get(PRODUCT) == name]
            stem = "" if name == main else name
            for thing in own:
                path = _path(task, stem, thing[RECIPE]["seed"] if several else None, ".glb")
                _export(thing, path)
            for image in images:
                seeds = image[SEEDS]
                for seed in seeds if len(seeds) < task.request["count"] else (None,):  # one for all: no seed changes it
                    path = _path(task, stem, seed, ".png")
                    path.write_bytes(image.packed_file.data)
            missing += [] if own or images else [name]
    except (OSError, RuntimeError) as error:
        raise AddonError(f"“{path.name}” could not be written: {error}.", "Choose another folder.") from error
    if missing:
        sentence = f"The engine did not give “{missing[0]}”."
        raise AddonError(sentence, "Update the extension, or choose another engine.", code="bad-product")
    return [note for thing in meshes for note in filter(None, thing[RECIPE]["notes"].splitlines())]


def _path(task: Task, product: str, seed: int | None, suffix: str) -> Path:
    """Where a product goes, see `file_stem`."""
    return Path(task.folder, f"{file_stem(task.stem, product, seed)}{suffix}")


def _export(thing: bpy.types.Object, path: Path) -> None:
    """One object as a file, standing where all files' objects stand."""
    thing.location = (0.0, 0.0, 0.0)
    for other in bpy.context.view_layer.objects:
        other.select_set(other == thing)
    with contextlib.redirect_stdout(sys.stderr):  # the exporter chats
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", use_selection=True)
