# SPDX-License-Identifier: GPL-3.0-or-later
"""A virtual screen with a hand for its mouse and keyboard, and a camera."""

import os
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

Tool = Callable[[str], list[str | Path]]

WIDTH, HEIGHT = 1280, 800


class Screen:
    """The screen `display`. Its positions are pixels from the top left corner."""

    def __init__(self, tool: Tool, display: str, hand: "subprocess.Popen[str]") -> None:
        self.environment = {**os.environ, "DISPLAY": display}
        self.remembered: dict[str, tuple[int, ...]] = {}  # page and height of each button, see `Blender.look`
        self._tool = tool
        self._hand = hand

    def do(self, *commands: str) -> None:
        """Let xdotool do this, and wait until it is done."""
        assert self._hand.stdin is not None
        assert self._hand.stdout is not None
        self._hand.stdin.write("\n".join([*commands, "exec --sync echo done", ""]))
        self._hand.stdin.flush()
        assert self._hand.stdout.readline() == "done\n", "the hand is gone"

    def point(self, x: float, y: float) -> None:
        """Move the mouse, as a hand does: over the place beside it."""
        self.do(f"mousemove {x - 3:.0f} {y - 2:.0f}", "sleep 0.02", f"mousemove {x:.0f} {y:.0f}", "sleep 0.02")

    def glance(self, x: float, y: float) -> None:
        """Move the mouse there without waiting until it has arrived."""
        self.do(f"mousemove {x - 3:.0f} {y - 2:.0f}", f"mousemove {x:.0f} {y:.0f}")

    def click(self, x: float, y: float) -> None:
        """Press and release the left button there."""
        self.point(x, y)
        self.do("sleep 0.05", "mousedown 1", "sleep 0.05", "mouseup 1", "sleep 0.05")

    def drag(self, start: list[int], end: list[int], button: int = 1, key: str = "") -> None:
        """Draw from one place to another with a button down, and a key if there is one."""
        steps = [[round(a + (b - a) * step / 10) for a, b in zip(start, end, strict=True)] for step in range(11)]
        self.point(*start)
        self.do(*([f"keydown {key}"] if key else []), f"mousedown {button}", "sleep 0.05")
        for x, y in steps:
            self.do(f"mousemove {x} {y}", "sleep 0.02")
        self.do(f"mouseup {button}", *([f"keyup {key}"] if key else []), "sleep 0.05")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, with the mouse where it is."""
        for key in keys:
            self.do(f"key {key}", "sleep 0.05")

    def write(self, text: str) -> None:
        """Type text."""
        self.do(f"type --delay 20 {text!r}")

    def shoot(self, path: Path, box: list[int] | None = None) -> Path:
        """Take a picture of the screen, or of a part of it: left, top, width, height."""
        crop = ["-crop", "{2}x{3}+{0}+{1}".format(*box), "+repage"] if box else []
        with path.open("wb") as file:
            command = [*self._tool("import"), "-window", "root", *crop, "png:-"]
            subprocess.run(command, stdout=file, env=self.environment, check=True, timeout=30)
        return path


@contextmanager
def new_screen(tool: Tool, folder: Path) -> Generator[Screen]:
    """A screen of its own on a free display, which listens on no network."""
    reading, writing = os.pipe()
    size = f"{WIDTH}x{HEIGHT}x24"
    with (folder / "xvfb.log").open("wb") as log:
        command = [*tool("Xvfb"), "-displayfd", str(writing), "-screen", "0", size, "-nolisten", "tcp"]
        server = subprocess.Popen(command, pass_fds=[writing], stdout=log, stderr=log)
    os.close(writing)
    try:
        with os.fdopen(reading) as file:
            number = file.readline().strip()
        assert number, (folder / "xvfb.log").read_text()
        display = f":{number}"
        environment = {**os.environ, "DISPLAY": display}
        hand = subprocess.Popen(
            [*tool("xdotool"), "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        try:
            yield Screen(tool, display, hand)
        finally:
            end(hand)
    finally:
        end(server)


def end(process: "subprocess.Popen[str] | subprocess.Popen[bytes]") -> None:
    """End a process that was started here."""
    process.terminate()
    try:
        process.wait(5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until(condition: Callable[[], object], what: str, seconds: float = 60.0) -> None:
    """Wait for what must come; fail with `what` if it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.02)
