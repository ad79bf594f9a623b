# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents point to is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.backend.test_layering import SOURCES, imports, name_of, within

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md"))
CODE = {path: path.read_text(encoding="utf-8") for path in SOURCES}
NAMED = re.compile(r"(?<!`)`((?:\w+/)*)(\w+)\.(\w+)(?:\([^`]*\))?`")
SUFFIXES = ("glb", "jpg", "json", "jsonl", "log", "md", "png", "safetensors", "txt")
"""What follows a dot in the name of a file that is no module."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize("text", [*PAGES, *SOURCES], ids=lambda path: str(path.relative_to(ROOT)))
def test_the_code_that_is_named_is_there(text: Path) -> None:
    """A module is a file, and a name behind a module's is in it; what begins otherwise is no code of ours."""
    lacking: list[str] = []
    for path, module, name in NAMED.findall(text.read_text(encoding="utf-8")):
        places = [place for place in SOURCES if place.as_posix().endswith(f"/{path}{module}.py")]
        if any(place.as_posix().endswith(f"/{path}{module}/{name}.py") for place in SOURCES):
            continue
        if name == "py":
            lacking += [] if places else [f"{path}{module}.py"]
        elif places and name not in SUFFIXES and not any(re.search(rf"\b{name}\b", CODE[place]) for place in places):
            lacking.append(f"{path}{module}.{name}")
    assert not lacking


def test_the_failure_codes_of_the_wire_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8").partition("### Failure codes")[2]
    listed = [code for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for code in re.findall("`(.+?)`", row)]
    assert sorted(listed) == sorted({code for path in on_the_way_of_a_request() for code in codes(path)})


def on_the_way_of_a_request() -> set[Path]:
    """The modules that the server and the engines import, directly or not, but for those that write files."""
    found: set[Path] = set()
    waiting = [ROOT / "backend" / "server.py", ROOT / "backend" / "engines" / "__init__.py"]
    while waiting:
        path = waiting.pop()
        if path not in found and path.is_file() and not within(name_of(path), *WRITERS):
            found.add(path)
            waiting += [file for name, _ in imports(path) if within(name, "backend") for file in files_of(name)]
    return found


WRITERS = ("backend.files", "backend.adapters.folder", "backend.weights.disk")


def files_of(module: str) -> list[Path]:
    """The files that a module's name can stand for."""
    path = ROOT.joinpath(*module.split("."))
    return [path / "__init__.py", path.with_suffix(".py")]


def codes(path: Path) -> Iterator[str]:
    """The failure codes in a module, which stand where an error or a failure is made."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in PLACES:
            code = node.args[PLACES[node.func.id]]
            if isinstance(code, ast.Constant):
                yield str(code.value)
            else:
                assert ast.unparse(code) == "error.code", f"{path}: {ast.unparse(code)}"


PLACES = {"UserError": 0, "WireError": 0, "_StrangerError": 0, "Failure": 1}


def test_there_are_pages() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "wire.md"} <= {page.name for page in PAGES}
