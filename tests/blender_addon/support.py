# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests inside Blender share."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from numpy.typing import NDArray

CHECKOUT = Path(__file__).parents[2]
MODULE = "bl_ext.user_default.hi3dgen"
ANOTHER_BLENDER = """
import bpy, addon_utils, importlib, sys
addon_utils.enable(sys.argv[1], default_set=True)
sys.exit(importlib.import_module(f"{sys.argv[1]}.blender_addon.command").run(sys.argv[2:]))
"""


def disc(size: int = 96) -> NDArray[Any]:
    """An orange disc on nothing, uint8 (size, size, 4)."""
    y, x = np.mgrid[:size, :size] + 0.5 - size / 2
    pixels = np.zeros((size, size, 4), np.uint8)
    pixels[..., :3] = (200, 80, 40)
    pixels[..., 3] = np.where(np.hypot(x, y) < size * 0.4, 255, 0)
    return pixels


def image_of(pixels: NDArray[Any], name: str) -> Any:
    """The pixels as one of Blender's images."""
    height, width, _ = pixels.shape
    image = bpy.data.images.new(name, width, height, alpha=True)
    image.pixels.foreach_set((pixels[::-1] / 255.0).astype(np.float32).reshape(-1))
    return image


def vertices_of(thing: Any) -> NDArray[Any]:
    """An object's vertices, float32 (V, 3)."""
    values = np.empty(len(thing.data.vertices) * 3, np.float32)
    thing.data.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def tick_until(session: Any, condition: Callable[[], bool], seconds: float = 60.0) -> None:
    """Tick as a timer would, until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain; {session.phase}, {session.error}"
        session.tick()
        time.sleep(0.005)


@contextmanager
def weights_in(folder: Path) -> Generator[None]:
    """Inside the context a backend that is started has these weights, on the CPU; it ends with the context."""
    session = import_module(f"{MODULE}.blender_addon.link.runtime").session()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HI3DGEN_WEIGHTS", str(folder))
        patch.setenv("HI3DGEN_DEVICE", "cpu")
        session.close()
        yield
    session.close()


def visible(folder: Path) -> set[str]:
    """The names of the files in a folder but hidden ones."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


def states(folder: Path) -> list[str]:
    """The states of a batch's pictures, in order, by its summary."""
    return [json.loads(line)["state"] for line in (folder / "summary.jsonl").read_text("utf-8").splitlines()]


def another_blender(resources: Path, arguments: list[str]) -> subprocess.Popen[bytes]:
    """Start the command in another process, with the checkout as its extension in a new folder `resources`."""
    (resources / "extensions" / "user_default").mkdir(parents=True)
    (resources / "extensions" / "user_default" / "hi3dgen").symlink_to(CHECKOUT, target_is_directory=True)
    return subprocess.Popen(
        [sys.executable, "-c", ANOTHER_BLENDER, MODULE, *arguments],
        env={**os.environ, "BLENDER_USER_RESOURCES": str(resources)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
