# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds every text that an artist can read in Blender, and brings the files of translations up to date with them.

`python scripts/translations.py` writes each file of `blender_addon/language` anew, in the order in which texts occur:
new ones have an empty translation, those that are gone are dropped. It needs Blender as a Python module.
"""

from __future__ import annotations

import ast
import os
import re
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from own_folders import own_folders

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

MODULE = "bl_ext.user_default.hi3dgen"
OURS = "Hi3DGen"  # the context of labels and sentences; tooltips have that of Blender's
TOOLTIP = "*"
NAMES = {
    "Hi3DGen",
    "PyTorch",
    "Python",
    "NVIDIA",
    "AMD",
    "CPU",
    *("GLB", "OBJ", "STL", "PLY", "USD"),
}  # the same everywhere
ENGLISH = ("command.py", "many.py", "report.py")  # what is printed, and what is sent to those who help
BACKEND = (
    *(
        "around",
        "detail",
        "engines",
        "flow",
        "foreground",
        "normals",
        "geometry",
        "guided",
        "inspection",
        "mesh",
        "nn",
        "install",
        "remote",
        "texture",
        "upscale",
        "volume",
    ),
    "weights",
    *("batch/passed_over.py", "files/glb.py", "jobs.py", "server.py", "folders.py", "receiving.py"),
)
"""The parts of the backend whose sentences come to Blender."""
SETTING_UP = {"install", "remote", "weights"}  # what shows its steps in the preferences
_IS_STEP = re.compile(r"[A-Z][a-z]+ing( [^.:]+)?")
_IS_SENTENCE = re.compile(r"[A-Z1“{].* .*(\.|[.:] \{0\})", re.DOTALL)

Text = tuple[str, str]
"""A text, behind its context."""


def texts() -> list[Text]:
    """Every text to translate, in the order in which they occur. The extension is enabled."""
    files = [path for path in sorted((ROOT / "blender_addon").rglob("*.py")) if path.name not in ENGLISH]
    parts = [ROOT / "backend" / part for part in BACKEND]
    backend = [path for part in parts for path in ([part] if part.is_file() else sorted(part.rglob("*.py")))]
    found = [*_registered(), *((OURS, text) for path in files for text in _said(path)), *_of_engines()]
    found += [(OURS, word) for word in import_module(f"{MODULE}.blender_addon.scene.again").CALLED.values()]
    found += [(OURS, text) for path in (*files, *backend) for text in _sentences(path)]
    found += [(OURS, text) for path in backend if SETTING_UP & {*path.parts} for text in _steps(path)]
    return list(dict.fromkeys((context, text) for context, text in found if text and text not in NAMES))


def enable() -> None:
    """Enable this checkout as an extension in Blender as a module, with a user folder that lasts as long as this."""
    import addon_utils  # noqa: PLC0415  part of Blender's

    folder = Path(os.environ["BLENDER_USER_RESOURCES"], "extensions", "user_default")
    folder.mkdir(parents=True)
    (folder / "hi3dgen").symlink_to(ROOT, target_is_directory=True)
    addon_utils.enable(MODULE, default_set=True)


def update() -> None:
    """Write the files of translations anew."""
    catalogue, po = (import_module(f"{MODULE}.blender_addon.language.{name}") for name in ("catalogue", "po"))
    found = texts()
    for language in catalogue.LANGUAGES:
        path = catalogue.FOLDER / f"{language}.po"
        known = po.read(path) if path.exists() else {}
        path.write_text(po.written(language, {text: known.get(text, "") for text in found}), encoding="utf-8")
        print(f"{path.name}: {sum(text not in known for text in found)} of {len(found)} texts are to be translated")


def _registered() -> Iterator[Text]:
    """What Blender translates by itself: the labels, tooltips and options of what is registered."""
    import bpy  # noqa: PLC0415  read after its folder is set

    for name in dir(bpy.types):
        rna = getattr(getattr(bpy.types, name), "bl_rna", None)
        if rna is None:  # one that Blender has for scripts alone
            continue
        yield from (
            text for each in rna.properties if each.identifier.startswith("hi3dgen") for text in _of_property(each)
        )
    for name in dir(bpy.ops.hi3dgen):
        rna = getattr(bpy.ops.hi3dgen, name).get_rna_type()
        if "INTERNAL" not in getattr(bpy.types, rna.identifier).bl_options:
            yield rna.translation_context, rna.name
            yield TOOLTIP, rna.description
            yield from _of_group(rna)
    yield from _of_group(bpy.context.preferences.addons[MODULE].preferences.bl_rna)


def _of_group(rna: Any) -> Iterator[Text]:  # noqa: ANN401
    usual = {each.identifier for each in rna.base.properties} if rna.base else {"rna_type", "name"}
    yield from (text for each in rna.properties if each.identifier not in usual for text in _of_property(each))


def _of_property(described: Any) -> Iterator[Text]:  # noqa: ANN401
    if described.is_hidden:
        return
    if described.type == "POINTER" and described.fixed_type.identifier.upper().startswith("HI3DGEN"):
        yield from _of_group(described.fixed_type)
        return
    yield described.translation_context, described.name
    yield TOOLTIP, described.description
    for item in described.enum_items_static if described.type == "ENUM" else ():
        yield described.translation_context, item.name
        yield TOOLTIP, item.description


def _of_engines() -> Iterator[Text]:
    """How the engines describe themselves, and what tools say that they do; the engines' settings are registered."""
    from backend.engines import ENGINES, TOOLS  # noqa: PLC0415  the backend imports numpy
    from backend.engines.external.description import A_PROGRAM  # noqa: PLC0415
    from backend.engines.external.engine import OF_VIEWS, RUNNING, of_meshes  # noqa: PLC0415
    from backend.engines.external.settings import OWN_COLOURS  # noqa: PLC0415

    for engine in ENGINES.values():
        yield OURS, engine.label
        yield OURS, engine.description
        yield from ((OURS, stage.label) for stage in engine.stages)
        yield from ((OURS, text) for preset in engine.presets for text in (preset.label, preset.description))
        yield from ((OURS, name.replace("_", " ")) for name in (*engine.gives, *engine.on_request))
    yield from ((OURS, stage.label) for tool in TOOLS.values() for stage in tool.stages)
    yield from (
        (OURS, text) for text in (A_PROGRAM, RUNNING, *(stage.label for stage in (*of_meshes(sides=True), *OF_VIEWS)))
    )
    yield from ((OURS, OWN_COLOURS.label), (TOOLTIP, OWN_COLOURS.description))


def _said(path: Path) -> Iterator[str]:
    """What a module gives to `say`, in the order of its lines."""
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    said = (call.args[0] for call in calls if ast.unparse(call.func) == "say")
    return (text for each in said for text in _constants(each))


def _constants(node: ast.expr) -> list[str]:
    """The texts that an expression may be; what is not known before is none."""
    if isinstance(node, ast.IfExp):
        return [*_constants(node.body), *_constants(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _sentences(path: Path) -> Iterator[str]:
    """The sentences of errors and notes, whose fields are numbered; each is translated on its own."""
    sentences = import_module(f"{MODULE}.blender_addon.language.sentences")
    for text in (text.replace("{}", "{0}") for text in _texts(path)):
        if _IS_SENTENCE.fullmatch(text):
            pieces = [_renumbered(piece) for piece in sentences.pieces(text)]
            yield from (piece for piece in pieces if re.search("[a-z]", re.sub(r"\{\w+\}", "", piece)))


def _steps(path: Path) -> Iterator[str]:
    """What an installation or a download is doing, such as “Testing”."""
    return (_renumbered(text) for text in _texts(path) if _IS_STEP.fullmatch(text))


def _texts(path: Path) -> Iterator[str]:
    """The strings of a module but docstrings; a field of an f-string that is a constant of the module is put in."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    known = {
        node.targets[0].id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) or (isinstance(node, ast.Call) and ast.unparse(node.func).startswith("log.")):
            skipped |= {id(inner) for inner in ast.walk(node)} if _is_silent(node) else set()
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "say":
            skipped |= {id(inner) for inner in ast.walk(node.args[0])}
        if _is_tooltip(node):
            skipped |= {id(inner) for inner in ast.walk(node)}
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values}
    for node in ast.walk(tree):
        if id(node) not in skipped and isinstance(node, ast.Constant | ast.JoinedStr):
            yield _text(node, known)


def _is_silent(node: ast.AST) -> bool:
    """Whether it is a docstring, or something for the log."""
    return isinstance(node, ast.Call) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _is_tooltip(node: ast.AST) -> bool:
    """Whether it is the description of something registered."""
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0]) == "bl_description"
    return isinstance(node, ast.keyword) and node.arg == "description"


def _text(node: ast.expr, known: dict[str, ast.expr]) -> str:
    match node:
        case ast.Constant(value=str() as text):
            return text
        case ast.JoinedStr(values=values):
            return "".join(_text(value, known) for value in values)
        case ast.FormattedValue(value=ast.Name(id=name)) if name in known:
            return _text(known[name], known) or "{0}"
        case ast.FormattedValue():
            return "{0}"
        case _:
            return ""


def _renumbered(text: str) -> str:
    numbers = iter(range(text.count("{0}")))
    return re.sub(r"\{0\}", lambda _: f"{{{next(numbers)}}}", text)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as resources:
        os.environ.update(own_folders(Path(resources)))
        import_module("bpy")  # reads it

        enable()
        update()
        sys.stdout.flush()
        os._exit(0)  # a timer or a class that is left crashes Blender as a module at its end
