# SPDX-License-Identifier: GPL-3.0-or-later
"""`remote`: a backend on another computer, over ssh."""

import argparse
import json
import sys
from collections.abc import Sequence

from ..errors import UserError
from ..remote import ssh
from ..remote.copying import LABEL, copy
from ..remote.running import run
from .agreement import agrees
from .progress import ProgressBar
from .remote_serve import serve


def configure(command: argparse.ArgumentParser) -> None:
    """Give `command` its commands."""
    commands = command.add_subparsers(required=True, metavar="COMMAND")

    setup = commands.add_parser("setup", help="copy Hi3DGen there, and install its engine there when you agree")
    _add_copying(setup)
    setup.add_argument("--agree", action="store_true", help="agree to the licences and the size of the downloads")
    setup.add_argument("--torch", default="auto", help="the build of PyTorch, as of `install`")
    setup.set_defaults(run=_set_up)

    copying = commands.add_parser("copy", help="copy Hi3DGen there: its engine Draft needs no more")
    _add_copying(copying)
    copying.add_argument("--json", action="store_true", help="print the progress as JSON, an object a line")
    copying.set_defaults(run=_copy)

    running = commands.add_parser("run", help="run another command of this program there, such as `doctor`")
    _add_computer(running)
    running.add_argument("arguments", nargs=argparse.REMAINDER, metavar="COMMAND …", help="the command and its options")
    running.set_defaults(run=_run)

    serving = commands.add_parser("serve", help="serve as `serve` does, by a backend there")
    _add_computer(serving)
    serving.set_defaults(run=_serve)


def _add_computer(command: argparse.ArgumentParser) -> None:
    command.add_argument("computer", metavar="COMPUTER", help="what ssh calls it: anna@workstation, or a name of yours")


def _add_copying(command: argparse.ArgumentParser) -> None:
    _add_computer(command)
    command.add_argument("--python", default="", metavar="PATH", help="the Python 3.11 to 3.14 there that runs it")
    command.add_argument(
        "--folder",
        default="",
        metavar="PATH",
        help="where environment and weights lie there (default: the usual place)",
    )


def _copy(options: argparse.Namespace) -> int:
    with ProgressBar(as_json=options.json) as progress:
        name = ssh.checked_name(options.computer)
        copy(name, lambda done, of: progress(LABEL, done, of), options.python, options.folder)
        progress.finished(computer=name)
    return 0


def _set_up(options: argparse.Namespace) -> int:
    name = ssh.checked_name(options.computer)
    with ProgressBar(as_json=False) as progress:
        copy(name, lambda done, of: progress(LABEL, done, of), options.python, options.folder)
    build = ["--torch", options.torch]
    if not options.agree:
        if code := run(name, ["install", "--plan", *build]):
            return code
        if not (sys.stdin.isatty() and agrees("Agree to these licences and download?")):
            sentence = f"Hi3DGen is on “{name}”, and its engine was not installed."
            raise UserError("not-agreed", sentence, "Read what is said above, and add --agree.")
    return _install(name, build)


def _install(name: str, build: Sequence[str]) -> int:
    """Install the engine there, and show here how far it is: there is no terminal there. Raises `UserError`."""
    made: dict[str, str] = {}
    with ProgressBar(as_json=False) as progress:

        def hear(line: str) -> None:
            match _message(line):
                case {
                    "label": str() as label,
                    "done": int() as done,
                    "of": int() as of,
                    "unit": ("bytes" | "steps") as unit,
                }:
                    progress(label, done, of, unit)
                case {"installed": dict() as installed}:
                    made.update(installed)
                case _:  # why it failed comes by standard error, too
                    pass

        code = run(name, ["install", "--agree", "--json", *build], hear, progress.make_room)
    if made:
        print(f"The engine on “{name}” is ready: PyTorch {made['torch']} on {made['device']}.")
    return code


def _message(line: str) -> object:
    """What a line of `progress` says; None if it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _run(options: argparse.Namespace) -> int:
    try:
        return run(ssh.checked_name(options.computer), options.arguments)
    except UserError as error:
        if "--json" not in options.arguments:
            raise
        print(_as_json(error), flush=True)
        return 1


def _serve(options: argparse.Namespace) -> int:
    try:
        return serve(ssh.checked_name(options.computer))
    except UserError as error:  # for the parent, in the place of the first line
        print(_as_json(error), flush=True)
        return 1
    except (ValueError, TypeError, RecursionError) as error:
        print(f"The first line of standard input is not what docs/wire.md asks for: {error}", file=sys.stderr)
        return 2


def _as_json(error: UserError) -> str:
    return json.dumps({"error": error.code, "sentence": error.sentence, "advice": error.advice})
