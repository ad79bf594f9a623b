# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line: `python -m backend COMMAND`; a module a command in `commands/`.

Exit codes: 0 done, 1 failed with a sentence on standard error, 2 wrong arguments, 130 interrupted.
"""

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from .around.stages import BACK, LEFT, RIGHT
from .commands import (
    batch,
    capabilities,
    detailverse,
    detailverse_stages,
    doctor,
    evaluate,
    external,
    generate,
    inspect,
    install,
    mesh,
    normals,
    remote,
    serve,
    storage,
    texture,
    train,
    train_data,
    weights,
    world,
)
from .commands.arguments import (
    add_engine,
    add_output,
    add_overwrite,
    add_seeds,
    add_upscaler,
    choose_upscaler,
    place,
    products_of,
)
from .engines import ENGINES, TOOLS, with_external
from .errors import UserError
from .flow.engine import Engine
from .version import VERSION


def main(arguments: list[str], engines: Mapping[str, Engine] = ENGINES) -> int:
    """Run one command and return its exit code. engines: beside those that the user has described."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a path that the terminal has no characters for
    parser = _parser(with_external(engines))
    if "" in arguments:  # as a path it would mean the working folder
        parser.error("an argument is empty: perhaps a variable of the shell has no value")
    options = parser.parse_args(arguments)
    try:
        choose_upscaler(options)
        code = options.run(options)
        print(end="", flush=True)
    except UserError as error:
        print(f"{error.sentence} {error.advice}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read the output has gone, as `| head` does
        _drop_output()
        return 1
    except OSError as error:  # such as a full disk behind standard output
        place = f"“{error.filename}”: " if error.filename else ""
        reason = error.strerror or type(error).__name__
        print(f"The system reports an error: {place}{reason}. Mend it and run the command again.", file=sys.stderr)
        _drop_output()
        return 1
    return code


def _open_closed_streams() -> None:
    """Open the standard streams that the parent has closed, for which Python has None, so that they hold nothing."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115, PTH123 - until Python ends


def _drop_output() -> None:
    """Let go of printed lines that cannot be written: Python tries once more when it ends, and would complain."""
    with contextlib.suppress(OSError):
        sys.stdout.flush()
        return
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Parser(argparse.ArgumentParser):
    """A command's, which shows its own usage if an argument is unknown, and not that of all commands."""

    def parse_known_args(self, *arguments: Any, **named: Any) -> Any:  # noqa: ANN401 - as argparse has it
        """Do as argparse does, and end with code 2 for an unknown argument."""
        known, others = super().parse_known_args(*arguments, **named)
        if others:
            self.error(f"unrecognized arguments: {' '.join(others)}")
        return known, others


def _parser(engines: Mapping[str, Engine]) -> argparse.ArgumentParser:
    parser = _Parser("python -m backend", description="Hi3DGen: one picture becomes a mesh.")
    parser.add_argument("--version", action="version", version=VERSION)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("serve", help="serve Blender, or any client of docs/wire.md")
    command.set_defaults(run=partial(serve.run, engines={**engines, **TOOLS}))

    command = commands.add_parser("capabilities", help="say what the engines can do, as JSON")
    command.set_defaults(run=partial(capabilities.run, engines={**engines, **TOOLS}))

    command = commands.add_parser("generate", help="make a mesh of a picture, or views from around its object")
    _add_picture(command, engines)
    add_output(
        command,
        "the mesh: .glb, .obj or .ply in metres, .stl in millimetres; of engines that make views, a folder; of "
        "those that make a world, .hdr or .png",
    )
    add_seeds(command, "results, with the seeds that follow, as OUT_seedSEED")
    command.add_argument(
        "--cutout", type=Path, metavar="IN", help="your own mask of the object, white in it and black outside"
    )
    command.add_argument("--normals", type=Path, metavar="IN", help="your own normal map of the same view")
    for side, where in ((BACK, "behind"), (LEFT, "the left, -x"), (RIGHT, "the right, +x")):
        command.add_argument(f"--{side}", type=Path, metavar="IN", help=f"a picture of the same object from {where}")
    command.add_argument("--normal-map", type=Path, metavar="OUT", help="write the normal map here")
    command.add_argument(
        "--save",
        action="append",
        default=[],
        type=place,
        metavar="PRODUCT=PATH",
        help=f"write another product of the engine here; {products_of(engines)}",
    )
    command.add_argument(
        "--contact-sheet", type=Path, metavar="OUT", help="write all views beside each other as one picture here"
    )
    add_overwrite(command, "write over files that are there already")
    command.add_argument("--json", action="store_true", help="print what was made as JSON")
    command.set_defaults(run=partial(generate.run, engines=engines))

    batch.configure(
        commands.add_parser("batch", help="make meshes of many pictures; goes on where it was"),
        commands.add_parser(batch.WORKER),  # without help: it is not for people
        engines,
    )

    detailverse.configure(
        commands.add_parser("detailverse", help="make a set of objects to learn from"),
        commands.add_parser(detailverse_stages.WORKER),  # without help: it is not for people
        engines,
    )

    command = commands.add_parser("normals", help="estimate the normal map of a picture")
    _add_picture(command, engines)
    add_output(command, "x right, y up, z to the viewer; white outside")
    add_overwrite(command, "write over a file that is there already")
    command.set_defaults(run=partial(normals.run, engines=engines))

    texture.configure(
        commands.add_parser("texture", help="put a picture's colours onto any mesh, all round"), TOOLS["texture"]
    )

    mesh.configure(commands.add_parser("mesh", help="make a mesh of views of an object from around it"), TOOLS["grid"])

    world.configure(
        commands.add_parser("world", help="make a panorama of a picture, for light and reflections"), ENGINES
    )

    inspect.configure(commands.add_parser("inspect", help="say what meshes are like, and make one stand"))

    weights.configure(commands.add_parser("weights", help="list, download and check the published weights"))

    command = commands.add_parser("doctor", help="say what can run here, and what is missing")
    command.add_argument("--json", action="store_true", help="print it as JSON")
    command.set_defaults(run=partial(doctor.run, engines=engines))

    external.configure(
        commands.add_parser("external", help="list and try the programs of your own that are engines"), engines
    )

    storage.configure(commands.add_parser("storage", help="say where things are and how large they are"))

    install.configure(commands.add_parser("install", help="make the environment of the engine “Networks”"))
    remote.configure(commands.add_parser("remote", help="let another computer do the work, over ssh"))
    evaluate.configure(
        commands.add_parser("evaluate", help="measure normals, meshes, cut-outs or views against known ones"), engines
    )
    train.configure(commands.add_parser("train", help="train the draft engine's network on shapes made for it"))
    train_data.configure(commands.add_parser(train_data.WORKER))  # without help: it is not for people
    return parser


def _add_picture(command: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    command.add_argument("picture", type=Path, metavar="PICTURE", help="a file that Pillow reads, such as PNG or JPEG")
    add_engine(command, engines.values())
    add_upscaler(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
