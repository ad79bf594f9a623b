# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of a batch in this Blender: each lands in the scene, is exported, and is removed again."""

import contextlib
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path
from typing import Any

import bpy

from ..backend.batch.lines import PICTURE
from ..backend.batch.manifest import fingerprint
from ..backend.batch.names import file_stem
from ..backend.batch.running import Ended, Progressed, Task
from .errors import AddonError
from .generate import submit, wait
from .link import runtime
from .link.session import Job
from .scene.landing import PRODUCT
from .scene.objects import RECIPE, datablocks

NORMAL_MAP = "normal_map"


def execute(tasks: Iterator[Task], progressed: Progressed) -> Generator[Ended, None, None]:
    """See `Executor`. The file is left as it was: a thousand pictures take no more memory than one."""
    for task in tasks:
        yield _ended(task, progressed)


def _ended(task: Task, progressed: Progressed) -> Ended:
    """Make one picture's results; never raises `AddonError`."""
    started = time.monotonic()
    fingerprints: dict[str, Mapping[str, Any]] = {}
    for name, path in task.inputs.items():
        with contextlib.suppress(OSError):  # reading it says why
            fingerprints[name] = fingerprint(Path(path))
    runtime.session().try_again()  # a picture that the backend could not bear must not end the others
    before = datablocks()
    notes: list[str] = []
    error: AddonError | None = None
    try:
        error = _generated(task, progressed)
        notes = _write(task, datablocks() - before)
    except AddonError as raised:
        error = raised
    finally:
        bpy.data.batch_remove(datablocks() - before)
    failure = ("failed", error.sentence, error.advice) if error else ("", "", "")
    return Ended(task.name, fingerprints, round(time.monotonic() - started, 3), tuple(dict.fromkeys(notes)), *failure)


def _generated(task: Task, progressed: Progressed) -> AddonError | None:
    """Let the results land; returns what came in between."""
    asked = task.request
    job = None

    def watch(job: Job) -> None:
        if job.live and (said := job.progress) is not None:
            progressed(
                task.name, said.label, (said.stage_index + said.step / max(said.of, 1)) / max(said.stage_count, 1)
            )

    try:
        inputs = {name: _image(Path(path)) for name, path in task.inputs.items() if name != PICTURE}
        job = submit(
            bpy.context.scene,
            Path(task.inputs[PICTURE]),
            asked["engine"],
            asked["seed"],
            settings=asked["settings"],
            inputs=inputs,
            count=asked["count"],
        )
        wait(job, watch)
    except AddonError as error:
        if job:
            runtime.session().cancel(job)  # nobody is there who could try to land the rest again
        return error
    return None


def _image(path: Path) -> bpy.types.Image:
    try:
        return bpy.data.images.load(str(path))
    except RuntimeError as error:
        raise AddonError(f"“{path.name}” cannot be read as a picture.", "Save it again as PNG or JPEG.") from error


def _write(task: Task, new: set[Any]) -> list[str]:
    """Write what has landed into the task's folder; returns its notes. Raises `AddonError`."""
    notes: list[str] = []
    path = Path(task.folder)
    meshes = [thing for thing in new if isinstance(thing, bpy.types.Object) and thing.type == "MESH"]
    maps = [thing for thing in new if thing.get(PRODUCT) == NORMAL_MAP]
    try:
        if NORMAL_MAP in task.request["products"] and maps:
            path = Path(task.folder, f"{file_stem(task.stem, NORMAL_MAP, None)}.png")
            path.write_bytes(maps[0].packed_file.data)
        for thing in meshes:
            seed = thing[RECIPE]["seed"] if task.request["count"] > 1 else None
            path = Path(task.folder, f"{file_stem(task.stem, '', seed)}.glb")
            _export(thing, path)
            notes += filter(None, thing[RECIPE]["notes"].splitlines())
    except (OSError, RuntimeError) as error:
        raise AddonError(f"“{path.name}” could not be written: {error}.", "Choose another folder.") from error
    return notes


def _export(thing: bpy.types.Object, path: Path) -> None:
    """One object as a file, standing where all files' objects stand."""
    thing.location = (0.0, 0.0, 0.0)
    for other in bpy.context.view_layer.objects:
        other.select_set(other == thing)
    with contextlib.redirect_stdout(sys.stderr):  # the exporter chats
        bpy.ops.export_scene.gltf(filepath=str(path), export_format="GLB", use_selection=True)
