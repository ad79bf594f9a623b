# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of benchmark_addon.py inside Blender: benchmark_inside.py PART ORDERS ANSWER, both files of JSON."""

import json
import os
import platform
import sys
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy  # isort: skip - it brings the next one

import addon_utils
import numpy as np

MODULE = "bl_ext.user_default.hi3dgen"
TICK_SECONDS = 0.01

_clock = time.perf_counter  # of the steps in which Blender stands still


def install() -> dict[str, Any]:
    """Install the extension's zip, as the demo does."""
    import_module("demo_scene").install()
    return {"blender": f"Blender {bpy.app.version_string}, Python {platform.python_version()}, numpy {np.__version__}"}


def enable() -> dict[str, Any]:
    """How long the extension's registration takes, its imports included."""
    return {"seconds": _timed(lambda: addon_utils.enable(MODULE))}


def generate(pictures: list[str], size: int) -> dict[str, Any]:
    """Make a mesh of each picture, as a click does; the backend starts with the first one."""
    addon_utils.enable(MODULE)
    return {"jobs": [_job(picture, size) for picture in pictures]}


def _job(picture: str, size: int) -> dict[str, float]:
    """The seconds from the click to the mesh, and of the longest steps between, in which Blender stands still."""
    session, generate_module = _of("link.runtime").session(), _of("generate")
    icon_of = _of("ui.thumbnails").icon_of
    image = bpy.data.images.load(picture)
    found = {"loaded": _timed(partial(_load, image)), "backend": 0.0, "tick": 0.0, "thumbnail": 0.0}
    made = _watch(generate_module, "add_results")
    start, before, worked = time.perf_counter(), _clock(), _worked(session.pid)
    job = generate_module.submit(bpy.context.scene, image, "draft", 0, settings={"resolution": size})
    found["click"] = _clock() - before
    shown, tick = None, 0.0
    while job.live:
        time.sleep(TICK_SECONDS)
        tick = _timed(session.tick)
        if not found["backend"] and session.capabilities:
            found["backend"] = time.perf_counter() - start
        if job.preview is not shown:
            shown = job.preview
            found["thumbnail"] = max(found["thumbnail"], _timed(partial(icon_of, shown)))
        if job.live:
            found["tick"] = max(found["tick"], tick)
    if job.state.name != "DONE":
        raise RuntimeError(str(job.error))
    landed = time.perf_counter() - start
    seconds, (_, _, _, results, *_) = made[0]
    worked = _worked(session.pid) - worked
    own = {"seconds": landed, "making": seconds, "landing": tick - seconds, "worked": worked}
    return {**found, **own, "stages": _stages(results)}


def _load(image: bpy.types.Image) -> int:
    """Blender reads the file of an image when it is first asked about it."""
    return image.size[0]


def _worked(pid: int | None) -> float:
    """The seconds of processors that the backend has used, where the system says it in a file; else 0."""
    path = Path(f"/proc/{pid}/stat")
    if pid is None or not path.exists():
        return 0.0
    fields = path.read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _stages(results: list[Any]) -> float:
    """How long the backend worked on results, as it says."""
    return sum(sum(result.seconds.values()) for result in results)


def mesh(triangles: int, repeats: int) -> dict[str, Any]:
    """How long a mesh takes into the scene as results do, and by glTF's import, in turn, each a new object."""
    addon_utils.enable(MODULE)
    addon_utils.enable("io_scene_gltf2")
    result, path = _result(triangles), str(Path(bpy.app.tempdir, "mesh.glb"))
    picture, count = bpy.data.images.new("picture", 64, 64), len(result.products["mesh"].triangles)
    land = partial(_land, picture, result)
    land()
    bpy.ops.export_scene.gltf(filepath=path, use_selection=True)
    landed: list[float] = []
    imported: list[float] = []
    for _ in range(repeats):
        for taken, way in ((landed, land), (imported, partial(bpy.ops.import_scene.gltf, filepath=path))):
            taken.append(_timed(way))
            counted = {len(thing.data.polygons) for thing in bpy.context.selected_objects if thing.type == "MESH"}
            if counted != {count}:
                raise RuntimeError(f"It has {counted} triangles.")
            bpy.data.batch_remove({*bpy.data.objects, *bpy.data.meshes})
    return {"triangles": count, "landed": landed, "imported": imported}


def _land(picture: bpy.types.Image, result: Any) -> None:  # noqa: ANN401 - the extension's own
    """Put a result into the scene, as `generate` does when it comes."""
    usual = _of("generate").NOT_PLACED
    spots = _of("scene.spots").spots_of(bpy.context.view_layer, [result], usual)
    _, refused = _of("scene.objects").add_results(bpy.context.scene, "ball", picture, [result], spots, usual)
    if refused:
        raise RuntimeError(str(refused[0][1]))


def _result(triangles: int) -> Any:  # noqa: ANN401
    """A ball of so many triangles, or a few less, with its normal map, as the draft engine gives meshes."""
    messages, products = (import_module(f"{MODULE}.backend.wire.{name}") for name in ("messages", "products"))
    side = max(round((triangles / 2) ** 0.5), 3)
    down, along = np.mgrid[: side + 1, : side + 1].reshape(2, -1).astype(np.float32) / side
    polar, turn = np.pi * (0.02 + 0.96 * down), 2.0 * np.pi * along
    ball = np.stack([np.sin(polar) * np.sin(turn), -np.sin(polar) * np.cos(turn), np.cos(polar)], axis=1) / 2
    first = (np.arange(side)[:, None] * (side + 1) + np.arange(side)).reshape(-1, 1)
    faces = np.concatenate([first + np.array(corners) for corners in ((0, side + 1, side + 2), (0, side + 2, 1))])
    uv = ball[:, [0, 2]] + np.float32(0.5)
    png = import_module(f"{MODULE}.backend.raster.png").encode(np.full((512, 512, 3), (128, 128, 255), np.uint8))
    made = {
        "normal_map": products.NormalMap(np.frombuffer(png, np.uint8)),
        "mesh": products.Mesh(ball.astype(np.float32, "C"), faces.astype(np.int32, "C"), uv=uv.astype(np.float32, "C")),
    }
    return messages.Result("benchmark", 0, 0, 1, {"engine": "draft", "seed": 0}, {}, (), made)


def _of(name: str) -> ModuleType:
    """A module of the extension's."""
    return import_module(f"{MODULE}.blender_addon.{name}")


def _timed(work: Callable[[], object]) -> float:
    start = _clock()
    work()
    return _clock() - start


def _watch(module: ModuleType, name: str) -> list[tuple[float, tuple[Any, ...]]]:
    """A list that gets the seconds and the arguments of a function's calls."""
    calls: list[tuple[float, tuple[Any, ...]]] = []
    usual = getattr(module, name)

    def watched(*arguments: Any) -> Any:  # noqa: ANN401 - whatever the function takes and gives
        start = _clock()
        result = usual(*arguments)
        calls.append((_clock() - start, arguments))
        return result

    setattr(module, name, watched)
    return calls


def main(part: str, orders: Path, answer: Path) -> None:
    """Measure a part and write what was found, then end at once: Blender's own end would be measured by nobody."""
    global _clock  # noqa: PLW0603 - one run, one clock
    ordered = json.loads(orders.read_text(encoding="utf-8"))
    if ordered["busy"]:
        _clock = time.thread_time
    found = PARTS[part](**ordered["arguments"])
    answer.write_text(json.dumps(found), encoding="utf-8")
    session = sys.modules.get(f"{MODULE}.blender_addon.link.runtime")
    if session:
        session.session().close()
    sys.stdout.flush()
    os._exit(0)


PARTS: dict[str, Callable[..., dict[str, Any]]] = {
    "install": install,
    "enable": enable,
    "generate": generate,
    "mesh": mesh,
}

if __name__ == "__main__":
    part, *files = sys.argv[-3:]
    main(part, *map(Path, files))
