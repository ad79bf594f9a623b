# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures the add-on: how long Blender takes to enable it, to make a mesh of a picture, and stands still meanwhile.

    python scripts/benchmark.py addon                       all parts, in Blender as a Python module
    HI3DGEN_BLENDER=blender python scripts/benchmark.py addon --part pictures

Every number is that of fresh Blenders without a window, in which the extension is installed from its zip; of several
runs the median stands first, and the fastest and the slowest in brackets. With --busy the seconds in which Blender
stands still are those of its main thread's own work: on a machine with other work the wall's clock says more about
that.

enabling: importing and registering the installed extension, which Python has compiled before. pictures: from the click
to the mesh with the draft engine, each time of another picture; cold is the first one, for which the backend starts.
Beside it the steps in which Blender stands still: the click, each turn of the timer, each new thumbnail. large: those
steps with a large photo that Blender shows already. mesh: a mesh comes into the scene with its material, and the same
mesh by Blender's glTF import, in turn.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from own_folders import own_folders

INSIDE = Path(__file__).with_name("benchmark_inside.py")
PARTS = ("enabling", "pictures", "large", "mesh")
LIMIT_SECONDS = 600


@dataclass(frozen=True)
class Blender:
    """A Blender that measures.

    command: what runs a script in it. folder: where the extension is installed. busy: see the module.
    """

    command: tuple[str | Path, ...]
    folder: Path
    busy: bool

    def run(self, part: str, **arguments: object) -> dict[str, Any]:
        """What a part of benchmark_inside.py measures. Ends the program if it fails, with what Blender wrote."""
        orders, answer = self.folder / "orders.json", self.folder / "answer.json"
        orders.write_text(json.dumps({"busy": self.busy, "arguments": arguments}), encoding="utf-8")
        answer.unlink(missing_ok=True)
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        ran = subprocess.run(
            [*self.command, part, orders, answer],
            env=environment | own_folders(self.folder / "resources"),
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT_SECONDS,
        )
        if not answer.exists():
            sys.exit(f"Blender did not measure “{part}”. It wrote:\n{ran.stdout}{ran.stderr}")
        return json.loads(answer.read_text(encoding="utf-8"))


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py addon", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--part", action="append", choices=PARTS, help="only this one; may be given several times")
    parser.add_argument("--repeats", type=int, default=5, help="how many times each is measured")
    parser.add_argument("--size", type=int, default=512, help="side of the pictures and of the cut-out, in pixels")
    parser.add_argument("--large", type=int, default=8000, help="side of the large photo, in pixels")
    parser.add_argument("--triangles", type=int, default=1_000_000, help="of the mesh")
    parser.add_argument("--busy", action="store_true", help="count the main thread's own work")
    options = parser.parse_args(arguments)
    sizes = (options.size, options.large, options.triangles)
    measure(options.part or PARTS, options.repeats, *sizes, busy=options.busy)


def measure(
    parts: Sequence[str], repeats: int, size: int, large: int, triangles: int, *, busy: bool = False
) -> dict[str, Any]:
    """Print a line for every number; returns what each part measured."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        blender = Blender(_command(), folder, busy)
        pictures = [write_photo(folder / f"{number}.jpg", size, number) for number in range(repeats + 1)]
        photo = write_photo(folder / "large.jpg", large, 0) if "large" in parts else None
        print(f"{blender.run('install')['blender']}, {os.cpu_count()} processors", flush=True)
        found: dict[str, Any] = {}
        if "enabling" in parts:
            found["enabling"] = [blender.run("enable")["seconds"] for _ in range(repeats)]
            _say("enabling", found["enabling"])
        if "pictures" in parts:
            found["pictures"] = _pictures(blender, pictures, size)
        if photo:
            found["large"] = blender.run("generate", pictures=[str(photo)], size=size)["jobs"]
            _say(f"{large} px: Blender loads it by itself", [job["loaded"] for job in found["large"]])
            _say_jobs(f"{large} px", found["large"])
        if "mesh" in parts:
            found["mesh"] = blender.run("mesh", triangles=triangles, repeats=repeats)
            _say(f"{found['mesh']['triangles']} triangles into the scene", found["mesh"]["landed"])
            _say("the same by glTF's import", found["mesh"]["imported"])
            ratio = median(found["mesh"]["imported"]) / median(found["mesh"]["landed"])
            print(f"{'times faster':48} {ratio:8.1f}")
    return found


def write_photo(path: Path, side: int, number: int) -> Path:
    """A JPEG file of a shaded ball on a grey ground, with a little noise, as a camera has it; returns its path."""
    from PIL import Image  # noqa: PLC0415 - this script alone needs it

    noise = np.random.default_rng(number)
    pixels = np.full((side, side, 3), 236.0, np.float32)
    place = (np.arange(side, dtype=np.float32) + 0.5) / side - 0.5
    for top in range(0, side, 256):  # in bands: a large photo needs little more memory than it has pixels
        y, x = place[top : top + 256, None], place[None, :]
        height = np.sqrt(np.maximum(0.36**2 - x**2 - y**2, 0.0))
        shade = 70.0 + 300.0 * np.maximum(height + 0.4 * x - 0.3 * y, 0.0)
        band = pixels[top : top + 256]
        colour = np.stack([shade, 0.7 * shade, (0.3 + 0.1 * (number % 5)) * shade], axis=-1)
        band[height > 0] = colour[height > 0]
        band += noise.normal(0.0, 2.0, band.shape)
    Image.fromarray(pixels.clip(0, 255).astype(np.uint8)).save(path, quality=92)
    return path


def _pictures(blender: Blender, pictures: Sequence[Path], size: int) -> list[dict[str, Any]]:
    jobs = blender.run("generate", pictures=[*map(str, pictures)], size=size)["jobs"]
    cold, warm = jobs[:1], jobs[1:]
    _say(f"click to mesh at {size} px, cold", [job["seconds"] for job in cold])
    _say("  of it until the backend has started", [job["backend"] for job in cold])
    _say("  of it the engine's stages", [job["stages"] for job in cold])
    _say("  seconds of processors that the backend used", [job["worked"] for job in cold])
    _say(f"click to mesh at {size} px, warm", [job["seconds"] for job in warm])
    _say("  of it the engine's stages", [job["stages"] for job in warm])
    _say("  seconds of processors that the backend used", [job["worked"] for job in warm])
    _say_jobs(f"{size} px", jobs)
    return jobs


def _say_jobs(which: str, jobs: Sequence[Mapping[str, Any]]) -> None:
    """Print in which steps Blender stood still."""
    for name, title in (
        ("click", "the click"),
        ("tick", "longest turn of the timer until the mesh comes"),
        ("thumbnail", "longest thumbnail"),
        ("landing", "the mesh comes, but for its making"),
        ("making", "making of the mesh"),
    ):
        _say(f"{which}: {title}", [job[name] for job in jobs])


def _say(what: str, seconds: Sequence[float]) -> None:
    spread = f"({min(seconds):.3f} to {max(seconds):.3f})" if len(seconds) > 1 else ""
    print(f"{what:60} {median(seconds):8.3f} s {spread}", flush=True)


def _command() -> tuple[str | Path, ...]:
    """What runs benchmark_inside.py: the Blender that HI3DGEN_BLENDER names first, else Blender as a Python module."""
    named = os.environ.get("HI3DGEN_BLENDER", "").split(os.pathsep)[0]
    if named:
        return named, "--background", "--factory-startup", "--python-exit-code", "1", "--python", INSIDE, "--"
    return sys.executable, INSIDE


if __name__ == "__main__":
    main(sys.argv[1:])
