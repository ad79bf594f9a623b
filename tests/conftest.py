# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests need from outside the checkout, and how a test process with Blender in it ends."""

import atexit
import os
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

# Tiny networks gain nothing from threads, and lose minutes to threads that wait for each other on a busy machine.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell starts its background jobs with interrupts ignored, and all that they start inherits it: tests that interrupt
# a process would wait for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# A busy machine is no failure, and what is slow is seen in the run's list.
hypothesis.settings.register_profile("untimed", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("untimed")

EXIT_STATUS = pytest.StashKey[int]()
WINDOW_TOOLS = ("Xvfb", "xdotool", "import")  # a screen, a hand for its mouse and keyboard, a camera


BLENDERS = [name for name in os.environ.get("HI3DGEN_BLENDER", "").split(os.pathsep) if name]


@pytest.fixture(scope="session", params=BLENDERS or ["no Blender"])
def real_blender(request: pytest.FixtureRequest) -> Callable[[str], list[str | Path]]:
    """A function from `blender`, `Xvfb`, `xdotool` or `import` to the beginning of the command that runs it.

    HI3DGEN_BLENDER names one or several `blender` commands, separated as in PATH: the tests run in each. If it lives in
    a chroot, the command `run` beside it runs the other tools in there; else they are looked for on PATH.
    """
    if not BLENDERS:
        pytest.skip("HI3DGEN_BLENDER is not set: set it to the path of Blender 4.2 or newer, such as /usr/bin/blender")
    named = str(request.param)
    blender = shutil.which(named)
    if blender is None:
        pytest.fail(f"HI3DGEN_BLENDER names {named!r}, which is no command")
    run = Path(blender).with_name("run")
    within: list[str | Path] = [run] if run.exists() else []
    lacking = [] if within else [tool for tool in WINDOW_TOOLS if shutil.which(tool) is None]
    if lacking:
        pytest.skip(f"{', '.join(lacking)} not found: a window is tested with xvfb, xdotool and ImageMagick")
    return lambda tool: [blender] if tool == "blender" else [*within, tool]


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with every package but those of hi3d and sv3d, of tiny random networks; not to be changed."""
    from make_tiny_weights import make

    folder = tmp_path_factory.mktemp("weights")
    make(folder)
    return folder


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Keep pytest's exit code for the end of the process."""
    session.config.stash[EXIT_STATUS] = exitstatus


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End at once a process that Blender was loaded into.

    Blender's own end, run by the interpreter's, sometimes hangs (4.5) or crashes (4.2) after a long run. That the
    extension lets a Blender end by itself is tested in Blenders that are processes of their own.
    """
    if "bpy" not in sys.modules:
        return
    shutil.rmtree(sys.modules["bpy"].app.tempdir, ignore_errors=True)
    atexit._run_exitfuncs()  # pyright: ignore[reportPrivateUsage]  temporary folders go now
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(int(config.stash.get(EXIT_STATUS, pytest.ExitCode.INTERNAL_ERROR)))
