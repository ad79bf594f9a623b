# SPDX-License-Identifier: GPL-3.0-or-later
"""The folder of a set of objects: where each stage writes, and its files of JSON lines.

| place | what | written by the module |
| --- | --- | --- |
| `prompts.jsonl` | a line a prompt: name, prompt, seed | `prompts` |
| `pictures/NAME.png` | the prompts' pictures | `pictures` |
| `meshes/NAME.glb`, `.ply` | the objects | an engine, `sculptures` |
| `views/NAME.jpg`, `NAME.json` | each object from four sides, and what was measured | `measures` |
| `views/NAME.npz` | the views' pooled image tokens | `tokens` |
| `labels.jsonl` | a line a label that a person has given | `labels`, `page` |
| `quality.jsonl` | a line an object: whether it is kept, and why not | `quality` |
| `export/` | what training reads | `export` |
| `statistics.*` | the set in numbers | `statistics` |

Pictures and meshes that were made elsewhere count as well if they lie there. Folders that are filled object by object
have a manifest of `batch`.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..batch.journal import encoded
from ..errors import UserError
from ..files.outputs import writing

KIND = "detailverse"
"""Of the manifests, see `batch.manifest.Manifest`."""
_MESHES = (".glb", ".gltf", ".obj", ".ply", ".stl")
_PICTURES = (".png", ".jpg", ".jpeg", ".webp")


@dataclass(frozen=True)
class World:
    """The folder of a set of objects."""

    folder: Path

    @property
    def prompts(self) -> Path:
        """The prompts' lines."""
        return self.folder / "prompts.jsonl"

    @property
    def labels(self) -> Path:
        """The labels' lines."""
        return self.folder / "labels.jsonl"

    @property
    def quality(self) -> Path:
        """A line an object: whether it is kept."""
        return self.folder / "quality.jsonl"

    @property
    def pictures(self) -> Path:
        """The folder of the pictures."""
        return self.folder / "pictures"

    @property
    def meshes(self) -> Path:
        """The folder of the meshes."""
        return self.folder / "meshes"

    @property
    def views(self) -> Path:
        """The folder of what is seen and measured of the meshes."""
        return self.folder / "views"

    @property
    def export(self) -> Path:
        """The folder of what training reads."""
        return self.folder / "export"

    def found_pictures(self) -> dict[str, Path]:
        """The pictures that are there, by name, in order. Raises `UserError` if there are none."""
        return _found(self.pictures, _PICTURES, "picture")

    def found_meshes(self) -> dict[str, Path]:
        """The meshes that are there, by name, in order. Raises `UserError` if there are none."""
        return _found(self.meshes, _MESHES, "mesh")

    def measured(self) -> dict[str, dict[str, Any]]:
        """What was measured of each object, by name, in order. Raises `UserError` if nothing was."""
        return {
            name: read_json_object(path) for name, path in _found(self.views, (".json",), "measured object").items()
        }

    def kept(self) -> list[str]:
        """The names of the objects that `quality` keeps. Raises `UserError`."""
        return [line["name"] for line in read_lines(self.quality, ("name", "kept")) if line["kept"]]


def read_lines(path: Path, needed: Sequence[str]) -> list[dict[str, Any]]:
    """The objects of a file of JSON lines. needed: the keys that each has.

    A last line without its end is left out: its writer was killed. Raises `UserError`.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        sentence = f"“{path}” cannot be read: {error.strerror or type(error).__name__}."
        raise UserError("no-stage", sentence, "Run the stage first that writes it: see docs/detailverse.md.") from error
    lines: list[dict[str, Any]] = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            value = json.loads(line.decode())
        except (ValueError, RecursionError):
            value = None
        if not (isinstance(value, dict) and all(key in value for key in needed)):
            sentence = f"Line {number} of “{path}” is invalid."
            raise UserError("bad-stage", sentence, f"Mend or remove it: it is a JSON object with {', '.join(needed)}.")
        lines.append(value)
    return lines


def read_json_object(path: Path) -> dict[str, Any]:
    """The object of a JSON file. Raises `UserError`."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UserError("bad-stage", f"“{path}” is no JSON object.", "Remove it, and run its stage again.")
    return value


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """Write a file of JSON lines, whole or not at all. Raises `UserError`."""
    with writing(path) as file:
        file.write(b"".join(map(encoded, records)))


def make_folder(folder: Path) -> None:
    """Make a folder if it is missing. Raises `UserError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        sentence = f"The folder “{folder}” cannot be made or written to: {error.strerror or type(error).__name__}."
        raise UserError("bad-output", sentence, "Choose another.") from error


def _found(folder: Path, suffixes: Sequence[str], kind: str) -> dict[str, Path]:
    """The files of a folder, without hidden ones and without those below it, by their names without suffix."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    found = {path.stem: path for path in paths if path.suffix.lower() in suffixes and not path.name.startswith(".")}
    if not found:
        sentence = f"There is no {kind} in “{folder}”."
        raise UserError("no-stage", sentence, "Run the stage first that writes it: see docs/detailverse.md.")
    return found
