# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender in a window, with the extension installed from its zip."""

import json
import os
import re
import socket
import subprocess
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from own_folders import own_folders

from tests.gui.screen import HEIGHT, WIDTH, Screen, Tool, end, wait_until

CHECKOUT = Path(__file__).parents[2]
MODULE = "bl_ext.user_default.hi3dgen"
UP, DOWN = "4", "5"  # the wheel, as a button of the mouse
SCROLLS = 15
SCAN_PIXELS = 16  # less than a button's height
NOWHERE = (4.0, 780.0)  # in the status bar


class Blender:
    """A running Blender: `ask` it, point at its buttons, look at its console."""

    def __init__(
        self, screen: Screen, process: "subprocess.Popen[bytes]", console: Path, answers: socket.socket
    ) -> None:
        self.screen = screen
        self.process = process
        self._console = console
        self._socket = answers
        self._answers = answers.makefile("r")

    @property
    def console(self) -> str:
        """What Blender has written to its standard output and error."""
        return self._console.read_text(errors="replace")

    def ask(self, question: str) -> Any:
        """The value of a Python expression, or the effect of statements, in tests/gui/inside.py."""
        self._socket.sendall(json.dumps(question).encode() + b"\n")
        line = self._answers.readline()
        assert line, f"Blender ended with {self.process.wait()}:\n{self.console}"
        answer = json.loads(line)
        assert "error" not in answer, f"{question}\n{answer.get('error')}"
        return answer["value"]

    def wait(self, expression: str, seconds: float = 60.0) -> None:
        """Wait until the expression is true."""
        wait_until(lambda: self.ask(expression), f"{expression}\n{self.console}", seconds)

    def wait_for_job(self, state: str = "DONE") -> None:
        """Wait until the last job has ended, which must be in this state."""
        self.wait("not session().jobs[-1].live")
        assert self.ask("job_state()") == state, (self.ask("error()"), *self.ask("log()"))

    def undo_steps(self) -> list[str]:
        """The names of the undo stack's steps, oldest first."""
        said = len(self.console)
        self.ask("undo_steps()")
        return re.findall(r"name='(.*)'", self.console[said:])

    def open_tab(self, editor: str = "VIEW_3D") -> None:
        """Open the extension's tab in an editor's sidebar."""
        self.wait(f"show_tab({editor!r})")

    def find(self, button: str, editor: str = "VIEW_3D", across: float = 0.5) -> tuple[float, float]:
        """Where a button of the sidebar is: the mouse goes over the line `across` of its width and looks.

        `button` is a part of the operator's call or of the property's path. If it is out of sight the sidebar scrolls.
        """
        left, top, width, height = self.ask(f"box({editor!r})")
        x, line = left + width * across, range(top + 2, top + height, SCAN_PIXELS)

        def turn(page: int) -> None:
            if page:
                self.scroll(x, top + height // 2, ("", UP, DOWN)[page])
            self.screen.point(*NOWHERE)
            self.ask(f"region({editor!r}).tag_redraw()")
            self.ask("0")  # it is drawn anew before the mouse comes: a button under it stays as grey as it was

        return x, self.look(button, x, line, f"hovered({editor!r})", turn, 3)

    def look(self, button: str, x: float, line: range, hovered: str, turn: Callable[[int], None], pages: int) -> int:
        """At which height of a line the mouse is over a button: where it was the last time, or the first from above.

        hovered: asks what is under the mouse. turn: shows one of the pages that the line is looked for on. The first
        look is a glance, which may be told of the place before: what it finds counts if it is still there after a
        second one.
        """
        key = f"{button} {hovered} {x}"
        known, *before = self.screen.remembered.get(key, (0,))
        for page in sorted(range(pages), key=lambda page: page != known):  # the known one, then the others in order
            turn(page)
            for y in (*(before if page == known else ()), *line):
                self.screen.glance(x, y)
                if button in self.ask(hovered):
                    self.screen.point(x, y)
                    if button in self.ask(hovered):
                        self.screen.remembered[key] = page, y
                        return y
        raise AssertionError(f"there is no button {button!r}")

    def scroll(self, x: float, y: float, wheel: str = DOWN) -> None:
        """Scroll what is there to its end."""
        self.screen.point(x, y)
        self.screen.do(f"click --repeat {SCROLLS} --delay 20 {wheel}")

    def click(self, button: str, editor: str = "VIEW_3D", across: float = 0.5) -> None:
        """Click a button of the sidebar with the mouse."""
        self.screen.click(*self.find(button, editor, across))

    def point_at(self, editor: str = "VIEW_3D") -> None:
        """Put the mouse into the middle of an editor, so that keys go there."""
        left, top, width, height = self.ask(f"box({editor!r}, 'WINDOW')")
        self.screen.point(left + width * 0.4, top + height * 0.6)

    def shoot(self, path: Path, editor: str = "") -> Path:
        """Take a picture of the screen, or of an editor's sidebar."""
        self.ask("redraw()")
        self.ask("0")
        return self.screen.shoot(path, self.ask(f"box({editor!r})") if editor else None)


@contextmanager
def running_blender(
    screen: Screen, tool: Tool, resources: Path, folder: Path, *arguments: str | Path
) -> Generator[Blender]:
    """Start Blender on the screen with its user folder at `resources`; end it if the test has not."""
    console = folder / "console.txt"
    with tempfile.TemporaryDirectory() as sockets:  # a socket's path is short
        address = str(Path(sockets, "inside"))
        environment = {**own_folders(resources), "HI3DGEN_GUI_SOCKET": address, "TMPDIR": str(folder)}
        command = [*tool("blender"), "--window-geometry", "0", "0", str(WIDTH), str(HEIGHT)]
        with console.open("wb") as log:
            process = subprocess.Popen(
                [*command, *arguments, "--python-exit-code", "1", "--python", Path(__file__).with_name("inside.py")],
                env={**screen.environment, **environment},
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            with socket.socket(socket.AF_UNIX) as answers:
                answers.settimeout(60)
                wait_until(lambda: answers.connect_ex(address) == 0 or process.poll() is not None, "Blender listens")
                yield Blender(screen, process, console, answers)
        finally:
            end(process)


def background(tool: Tool, resources: Path, *arguments: str | Path) -> "subprocess.CompletedProcess[str]":
    """Run a Blender without a window to its end."""
    return subprocess.run(
        [*tool("blender"), *arguments],
        env={**os.environ, **own_folders(resources)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def install(tool: Tool, folder: Path, source: Path = CHECKOUT) -> Path:
    """Build the extension's zip and install it into a new user folder, which is returned."""
    resources, archive = folder / "resources", folder / "hi3dgen.zip"
    resources.mkdir()
    built = background(
        tool, resources, "--command", "extension", "build", "--source-dir", source, "--output-filepath", archive
    )
    assert archive.exists(), built.stdout + built.stderr
    installed = background(
        tool, resources, "--command", "extension", "install-file", "-r", "user_default", "--enable", archive
    )
    output = installed.stdout + installed.stderr
    assert (resources / "extensions/user_default/hi3dgen").is_dir(), output
    assert "Exception in module" not in output, output  # the exit code says nothing of it
    return resources
