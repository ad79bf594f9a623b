# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may import what, and other rules that every module keeps."""

import ast
import functools
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from backend.version import VERSION

ROOT = Path(__file__).parents[2]
MODULES = sorted(path for folder in ("backend", "blender_addon", "scripts") for path in (ROOT / folder).rglob("*.py"))
SOURCES = [*MODULES, ROOT / "__init__.py", *sorted((ROOT / "tests").rglob("*.py"))]
BACKEND = [path for path in MODULES if path.is_relative_to(ROOT / "backend")]
ADDON = [path for path in MODULES if path.is_relative_to(ROOT / "blender_addon")]
SHARED = ("backend.arrays", "backend.flow.products", "backend.errors", "backend.version")
SHARED_BATCH = (
    *(
        f"backend.batch.{name}"
        for name in ("lines", "manifest", "names", "passed_over", "planning", "running", "summary")
    ),
    *("backend.commands.arguments", "backend.errors", "backend.version"),
)
PRESET_MODULES = ("presets.py", "preset_box.py", "preset_operators.py", "engine_settings.py")
SHARED_PRESETS = ("backend.errors", "backend.flow.presets", "backend.flow.settings")
SHARED_FILES = (
    *("backend.errors", "backend.folders", "backend.lock", "backend.safe_files"),
    "backend.weights.catalogue",
)
INSPECTION_MODULES = ("inspected.py", "foot.py", "check_operators.py")
SHARED_INSPECTION = ("backend.inspection", "backend.mesh.check")
SHARED_ALONE = {
    "contact_sheet.py": ("backend.raster.png",),
    "photograph.py": ("backend.raster.lens",),
    "worlds.py": ("backend.safe_files",),
}
ADDON_SHARED = ("blender_addon.errors", "blender_addon.extension", "blender_addon.language")
HEAVY = ("torch", "diffusers", "transformers", "trimesh", "PIL", "scipy", "safetensors", "huggingface_hub", "httpx2")


def name_of(path: Path) -> str:
    """The module's dotted name from the checkout's root."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@functools.cache
def imports(path: Path) -> list[tuple[str, int]]:
    """Every module that a file imports, as a dotted name from the root, and how many dots it wrote before it."""
    return list(_imports(path))


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    package = name_of(path).split(".") if path.name == "__init__.py" else name_of(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = [*base, *(node.module.split(".") if node.module else [])]
            for alias in node.names:
                whole = ROOT.joinpath(*source, alias.name)
                is_module = bool(source) and (whole.is_dir() or whole.with_suffix(".py").is_file())
                yield ".".join([*source, alias.name] if is_module else source), node.level


def within(name: str, *packages: str) -> bool:
    return any(name == package or name.startswith(package + ".") for package in packages)


def ours(path: Path) -> list[str]:
    return [name for name, _ in imports(path) if within(name, "backend", "blender_addon")]


each_source = pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)


def test_this_page_sees_imports() -> None:
    """The rules below would all hold of a tree that nobody can read."""
    found = dict(imports(ROOT / "backend" / "server.py"))
    assert found["backend.flow.pipeline"] == 1
    assert found["asyncio"] == 0
    assert "backend.normals.outline" in dict(imports(ROOT / "backend" / "engines" / "draft" / "normals.py"))
    assert {"backend.wire.frames", "backend.wire.messages"} <= set(
        dict(imports(ROOT / "backend" / "wire" / "client.py"))
    )


@pytest.mark.parametrize("path", [path for path in BACKEND if path.parent.name == "wire"], ids=name_of)
def test_the_wire_imports_nothing_of_ours(path: Path) -> None:
    assert [name for name in ours(path) if not within(name, "backend.wire")] == []


@pytest.mark.parametrize("path", ADDON, ids=name_of)
def test_the_addon_knows_only_the_wire_of_the_backend_and_what_it_shares(path: Path) -> None:
    shared = SHARED_BATCH if path.name in ("command.py", "folder.py", "many.py") else ()
    shared = SHARED_FILES if path.parent.name == "link" else shared
    shared = SHARED_PRESETS if path.name in PRESET_MODULES else shared
    shared = SHARED_INSPECTION if path.name in INSPECTION_MODULES else shared
    shared = SHARED_ALONE.get(path.name, shared)
    assert [name for name in ours(path) if not within(name, "backend.wire", "blender_addon", *shared)] == []


def test_what_the_addon_shares_needs_the_standard_library_alone() -> None:
    shared = ", ".join((*SHARED_BATCH, *SHARED_FILES, *SHARED_PRESETS))
    code = f"import json, sys; import {shared}; print(json.dumps([*sys.modules]))"
    run = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(run.stdout)}
    assert loaded - {*sys.stdlib_module_names} == {"backend", "__main__"}


def test_what_the_addon_shares_of_meshes_needs_numpy_alone() -> None:
    names = [f"backend.inspection.{path.stem}" for path in BACKEND if path.parent.name == "inspection"]
    code = f"import json, sys; import {', '.join(names)}; print(json.dumps([*sys.modules]))"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert {name.partition(".")[0] for name in json.loads(run.stdout)} & {*HEAVY, "bpy"} == set()


@pytest.mark.parametrize("path", BACKEND, ids=name_of)
def test_the_backend_knows_no_blender(path: Path) -> None:
    assert [
        name for name, _ in imports(path) if within(name, "bpy", "blender_addon", "mathutils", "bmesh", "gpu")
    ] == []


@functools.cache
def rules() -> dict[str, list[str]]:
    """What CONTRIBUTING.md's table lets each module or folder import, by dotted names."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = re.findall(r"^\| (`(?:backend|blender_addon).*?) \| .* \|(.*)\|$", text, re.MULTILINE)
    return {name: dotted(allowed) for names, allowed in rows for name in dotted(names)}


def dotted(cell: str) -> list[str]:
    return [name.removesuffix(".py").strip("/").replace("/", ".") for name in re.findall(r"`(.+?)`", cell)]


def test_the_table_of_contributing_is_read() -> None:
    assert rules()["backend.models"] == ["backend.nn", "backend.surface"]
    assert rules()["backend.surface"] == []
    assert rules()["backend.raster"] == []
    assert rules()["blender_addon.link"] == [
        "backend.wire",
        "backend.errors",
        "backend.folders",
        "backend.lock",
        "backend.safe_files",
        "backend.weights.catalogue",
    ]


@pytest.mark.parametrize("name", [name for row in rules().items() for name in (row[0], *row[1])])
def test_the_table_of_contributing_names_what_is_there(name: str) -> None:
    path = ROOT.joinpath(*name.split("."))
    assert path.is_dir() or path.with_suffix(".py").is_file()


@pytest.mark.parametrize("path", [path for path in (*BACKEND, *ADDON) if name_of(path) != "backend"], ids=name_of)
def test_a_module_imports_what_the_table_of_contributing_lets_it(path: Path) -> None:
    table = rules()
    places = [place for place in table if within(name_of(path), place)]
    assert places, "the module has no row of its own"
    room = max(places, key=len)
    shared = ADDON_SHARED if within(room, "blender_addon") else () if room == "backend.wire" else SHARED
    assert [name for name in ours(path) if not within(name, room, *shared, *table[room])] == []


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """The circles of a graph of imports: those that are left when whatever imports none of the rest is taken away."""
    left = {name: imported & set(graph) for name, imported in graph.items()}
    while free := [name for name, imported in left.items() if not imported & set(left)]:
        left = {name: imported for name, imported in left.items() if name not in free}
    found: list[list[str]] = []
    for start in left:
        way = [start]
        while (following := min(left[way[-1]] & set(left))) not in way:
            way.append(following)
        found.append([*way[way.index(following) :], following])
    return found


def test_a_circle_of_imports_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a", "json"}}
    assert circles(graph)[0] == ["b", "c", "b"]
    assert circles({**graph, "c": set()}) == []


@pytest.mark.parametrize("part", [BACKEND, ADDON], ids=["backend", "blender_addon"])
def test_no_modules_import_each_other_in_a_circle(part: list[Path]) -> None:
    assert circles({name_of(path): {*ours(path)} - {name_of(path)} for path in part}) == []


def test_nothing_imports_an_engine_but_the_registry() -> None:
    engines = [f"backend.engines.{path.name}" for path in (ROOT / "backend" / "engines").iterdir() if path.is_dir()]
    assert "backend.engines.draft" in engines
    registry = ROOT / "backend" / "engines" / "__init__.py"
    for path in MODULES:
        own = [engine for engine in engines if within(name_of(path), engine)]
        others = [name for name in ours(path) if within(name, *engines) and not within(name, *own)]
        assert path == registry or path.is_relative_to(ROOT / "scripts") or others == [], name_of(path)


def test_of_what_does_not_ship_only_commands_know_and_only_inside_functions() -> None:
    """The extension's zip leaves two rooms out; whatever imports them when it is loaded would not load there."""
    rooms = ("backend.detailverse", "backend.training")
    others = [path for path in BACKEND if not within(name_of(path), *rooms)]
    users = {name_of(path) for path in others if any(within(name, *rooms) for name in ours(path))}
    assert users == {
        f"backend.commands.{name}"
        for name in (
            *("detailverse", "detailverse_stages", "train", "train_data", "train_finetune", "train_small"),
            *("evaluate_cutouts", "evaluate_geometry", "evaluate_normals", "evaluate_shapes", "evaluate_views"),
        )
    }
    for user in users:
        tree = ast.parse(ROOT.joinpath(*user.split(".")).with_suffix(".py").read_text(encoding="utf-8"))
        loaded = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
        assert not [name for name in loaded if within(name, "detailverse", "training")]


def test_what_all_may_import_imports_nothing_of_ours() -> None:
    shared = [ROOT.joinpath(*name.split(".")).with_suffix(".py") for name in SHARED]
    assert [name for path in shared for name in ours(path) if name not in SHARED] == []


@pytest.mark.parametrize("path", [*BACKEND, *ADDON], ids=name_of)
def test_what_ships_imports_itself_relatively(path: Path) -> None:
    assert [name for name, level in imports(path) if within(name, "backend", "blender_addon") and level == 0] == []


def test_starting_the_server_and_the_draft_engine_loads_nothing_heavy() -> None:
    code = "import sys, backend.__main__, backend.server, backend.engines; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    roots = {name.partition(".")[0] for name in loaded.split()}
    assert {"numpy", "backend"} <= roots
    assert roots & {*HEAVY, "bpy"} == set()


def test_the_version_is_the_same_everywhere() -> None:
    assert tomllib.loads((ROOT / "blender_manifest.toml").read_text(encoding="utf-8"))["version"] == VERSION
    assert tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"] == VERSION
    assert re.fullmatch(r"\d+\.\d+\.\d+", VERSION)


@each_source
def test_a_file_begins_with_its_licence_and_its_idea(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    assert "# SPDX-License-Identifier: GPL-3.0-or-later" in lines[: 2 if lines[0].startswith("#!") else 1]
    assert ast.get_docstring(ast.parse(text))


@each_module
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < 400
    assert "util" not in path.stem
