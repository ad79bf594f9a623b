# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences of errors that stand in the code, read without running it: a field of an f-string is "…"."""

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FIELD = "…"
CALLS = {
    "UserError": (1, 0),
    "AddonError": (0, None),
    "Failure": (2, 1),
    "ArgumentTypeError": (0, None),
    "report": (1, None),
    "not_started": (0, None),
    "bad_line": (1, None),
    "damaged": (0, None),
}
"""The places of the sentence and of the code in the calls that make or tell an error."""
TELLS = ("{'ERROR'}", "{'WARNING'}")
"""What `report` is called with for an error."""
WRAPPED = {
    "bad_line": (f"{FIELD} {{}}.", "bad-list"),
    "damaged": ("{}.", "weights-damaged"),
    "not_started": ("{}", "not-started"),
}
"""What some of those calls make of their sentence, and the code that they give it."""
TOLD = {
    "backend/batch/passed_over.py": ("told",),
    "backend/nn/libraries.py": ("lacking",),
    "backend/install/builds.py": ("_why_cpu",),
    "backend/install/troubles.py": ("_TROUBLES", "explain"),
    "backend/weights/store.py": ("trouble",),
    "backend/wire/limits.py": ("seed_from_text", "split_setting"),
    "blender_addon/folder.py": ("trouble",),
    "blender_addon/link/runtime.py": ("_dropped",),
    "blender_addon/ui/variation_operators.py": ("_why_alone",),
    "blender_addon/link/data_folder.py": ("BUSY", "LATER", "_OTHER_DISK", "_REFUSED", "_LINKED", "_THERE", "_INSIDE"),
    "blender_addon/link/environment.py": ("installed", "_fault"),
    "blender_addon/link/process.py": ("_started",),
}
"""Where sentences are returned or listed; the others stand in one of the calls. Their advice is not among them."""


@dataclass(frozen=True)
class Place:
    """Where an expression stands: in the module and in functions, the innermost last, and in which statement."""

    scopes: tuple[ast.AST, ...]
    statement: ast.stmt


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """A module's sentences, each with its code, which is empty if programs get none or another call gives it."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for place, call in _calls(tree, Place((tree,), ast.Pass())):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else ast.unparse(call.func)
        sentence, code = CALLS.get(name, (len(call.args), None))
        if sentence >= len(call.args) or (name == "report" and ast.unparse(call.args[0]) not in TELLS):
            continue
        codes = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
        codes += [call.args[code]] if code is not None else []
        form, usual = WRAPPED.get(name, ("{}", ""))
        known = next((text for each in codes for text in _texts(each, place)), usual).replace(FIELD, "")
        yield from ((form.format(text), known) for text in _said(call.args[sentence], place))
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith(".notice"):
            yield from ((text, "") for text in _said(node.value, Place((), node)))
    for where, names in TOLD.items():
        if path.as_posix().endswith(where):
            yield from _told(tree, names)


def _told(tree: ast.Module, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """All sentences in the functions and the assignments of these names.

    Code, evidence, sentence and advice stand together: the advice is left out.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name in names:
            parts = node.body[1:] if ast.get_docstring(node) else node.body
        elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in names:
            parts = [node]
        else:
            continue
        inner = [each for part in parts for each in ast.walk(part)]
        skipped = {id(value) for each in inner if isinstance(each, ast.JoinedStr) for value in each.values}
        rows = [each.elts if isinstance(each, ast.Tuple) else each.args for each in inner if isinstance(each, _ROW)]
        skipped |= {id(row[3]) for row in rows if len(row) == 4}
        codes = {
            id(row[2]): ast.literal_eval(row[0]) for row in rows if len(row) == 4 and isinstance(row[2], ast.Constant)
        }
        for each in inner:
            if isinstance(each, ast.JoinedStr | ast.Constant) and id(each) not in skipped:
                texts = [text for text in _said(each, Place((), ast.Pass())) if text.endswith((".", f". {FIELD}"))]
                yield from ((text, codes.get(id(each), "")) for text in texts)


_ROW = (ast.Tuple, ast.Call)


def _calls(node: ast.AST, place: Place) -> Iterator[tuple[Place, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        inner = place
        if isinstance(child, ast.Call):
            yield place, child
        elif isinstance(child, ast.FunctionDef):
            inner = Place((*place.scopes, child), child)
        elif isinstance(child, ast.stmt):
            inner = Place(place.scopes, child)
        yield from _calls(child, inner)


def _said(node: ast.AST, place: Place) -> list[str]:
    """All sentences that an expression may be; what only passes one on is none."""
    return [text for text in _texts(node, place) if any(letter.isalpha() for letter in text)]


def _texts(node: ast.AST, place: Place) -> list[str]:
    if isinstance(node, ast.Call) and ast.unparse(node.func) in ("translated", "say"):
        node = node.args[0]
    match node:
        case ast.Constant(value=str() as text):
            return [re.sub(r"\{\w*\}", FIELD, text)]  # filled in by `format` or `say`
        case ast.JoinedStr(values=values):
            return ["".join(FIELD if isinstance(each, ast.FormattedValue) else str(each.value) for each in values)]
        case ast.IfExp(body=one, orelse=other):
            return [*_texts(one, place), *_texts(other, place)]
        case ast.BoolOp(values=values):
            return [text for value in values for text in _texts(value, place)]
        case ast.Name(id=name):
            return [text for value in _values(name, place) for text in _texts(value, place)] or [FIELD]
        case _:
            return [FIELD]


def _values(name: str, place: Place) -> list[ast.expr]:
    """What a name may be set to where it is read: the last values before it, one of each branch."""
    for scope in reversed(place.scopes):
        body = ast.walk(scope) if isinstance(scope, ast.FunctionDef) else ast.iter_child_nodes(scope)
        found = [(node, value) for node in body if isinstance(node, ast.Assign) for value in _set(node, name)]
        if not isinstance(scope, ast.FunctionDef):
            return [value for _, value in found]
        left = _left(scope, place.statement)
        before = [each for each in found if each[0].lineno < place.statement.lineno and each[0] not in left]
        nearest: list[ast.expr] = []
        for node, value in sorted(before, key=lambda each: -each[0].lineno):
            nearest.append(value)
            if node.col_offset <= place.statement.col_offset:
                break
        if nearest:
            return nearest
    return []


def _left(scope: ast.AST, statement: ast.stmt) -> set[ast.AST]:
    """What stands in branches that end by leaving the function, and do not hold the statement."""
    left: set[ast.AST] = set()
    for node in ast.walk(scope):
        for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if isinstance(block, list) and block and isinstance(block[-1], ast.Raise | ast.Return):
                inner = {each for line in block for each in ast.walk(line)}
                left |= inner if statement not in inner else set()
    return left


def _set(node: ast.Assign, name: str) -> Iterator[ast.expr]:
    """What an assignment sets a name to."""
    (target, *_), value = node.targets, node.value
    if isinstance(target, ast.Name) and target.id == name:
        yield value
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        yield from (each for at, each in zip(target.elts, value.elts, strict=True) if ast.unparse(at) == name)
