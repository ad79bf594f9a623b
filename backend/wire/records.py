# SPDX-License-Identifier: GPL-3.0-or-later
"""Frozen dataclasses as documents and arrays, and back, checked field by field against their annotations.

Messages and products are such dataclasses: a record that exists is a record that keeps docs/wire.md.
"""

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, TypeVar

from .frames import Array, ArraySpec, Document, WireError

R = TypeVar("R")


def array(dtype: str, *shape: int | None) -> dict[str, Any]:
    """The metadata of a field that travels in the payload; None in `shape` is any length."""
    return {"dtype": dtype, "shape": shape}


def arrays(dtype: str, *shape: int | None) -> dict[str, Any]:
    """The metadata of a mapping from names to arrays of one kind; they travel as FIELD.NAME."""
    return {"dtype": dtype, "shape": shape, "many": True}


def fields_of(record: object, leave_out: str = "") -> tuple[Document, dict[str, Array]]:
    """A record's fields as JSON, but for `leave_out`, and its arrays by their names in the payload."""
    document: Document = {}
    payload: dict[str, Array] = {}
    for item in dataclasses.fields(typing.cast("Any", record)):
        value = getattr(record, item.name)
        if item.name == leave_out:
            continue
        if "dtype" not in item.metadata:
            document[item.name] = _plain(value)
        elif item.metadata.get("many"):
            payload |= {f"{item.name}.{name}": each for name, each in value.items()}
        elif value is not None:
            payload[item.name] = value
    return document, payload


def check_specs(kind: type, specs: Sequence[ArraySpec], called: str) -> None:
    """Refuse arrays that records of `kind` do not have in that dtype and shape. Raises `WireError` (bad-message)."""
    fields = {item.name: item for item in dataclasses.fields(kind) if "dtype" in item.metadata}
    for spec in specs:
        item = fields.get(spec.name) or fields.get(spec.name.partition(".")[0])
        if item is None or bool(item.metadata.get("many")) != ("." in spec.name):
            raise WireError("bad-message", f"{called} has no array {spec.name}")
        shape = item.metadata["shape"]
        fits = len(shape) == len(spec.shape) and all(a in (None, b) for a, b in zip(shape, spec.shape, strict=True))
        if spec.dtype != item.metadata["dtype"] or not fits:
            raise WireError("bad-message", f"the array {spec.name} is not {item.metadata['dtype']} of its shape")


def from_fields(
    kind: type[R], document: Mapping[str, Any], payload: Mapping[str, Array], called: str, **known: object
) -> R:
    """The record of `kind` with these fields and arrays, and with what is `known` already.

    Raises `WireError` (bad-message) if they are not its own.
    """
    fields = {item.name: item for item in dataclasses.fields(typing.cast("Any", kind))}
    hints = _hints(kind)
    values: dict[str, Any] = {**known}
    for name, value in document.items():
        if name not in fields or name in known:
            raise WireError("bad-message", f"{called} has no field {name:.64}")
        if "dtype" in fields[name].metadata:
            raise WireError("bad-message", "an array does not travel as JSON")
        values[name] = _checked(hints[name], value)
    for name, item in fields.items():
        if item.metadata.get("many"):
            values[name] = {
                full.partition(".")[2]: each for full, each in payload.items() if full.partition(".")[0] == name
            }
        elif "dtype" in item.metadata and name in payload:
            values[name] = payload[name]
    try:
        return kind(**values)
    except TypeError as error:
        raise WireError("bad-message", f"{called} lacks a field") from error


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Dataclasses, tuples and mappings as what JSON knows."""
    if dataclasses.is_dataclass(value):
        return {item.name: _plain(getattr(value, item.name)) for item in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _checked(hint: Any, value: Any) -> Any:  # noqa: ANN401, C901, PLR0911 - one branch a kind of annotation
    """`value` if it is what `hint` says; a list of objects becomes a tuple of dataclasses."""
    origin = typing.get_origin(hint)
    if hint is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        for option in typing.get_args(hint):
            if option is type(None) and value is None:
                return None
            if _matches(option, value):
                return value
    elif origin is tuple and isinstance(value, list):
        item = typing.get_args(hint)[0]
        return tuple(_checked(item, entry) for entry in value)
    elif origin is not None and issubclass(origin, Mapping) and isinstance(value, dict):
        item = typing.get_args(hint)[1]
        return {name: _checked(item, entry) for name, entry in value.items()}
    elif dataclasses.is_dataclass(hint) and isinstance(value, dict):
        hints = _hints(typing.cast("type", hint))
        if set(value) != set(hints):
            raise WireError("bad-message", "an object has other fields")
        return typing.cast("type", hint)(**{name: _checked(hints[name], value[name]) for name in hints})
    elif _matches(hint, value):
        return value
    raise WireError("bad-message", "a field has another type")


def _matches(hint: Any, value: object) -> bool:  # noqa: ANN401 - any annotation
    """JSON's scalars; true is no number, and a whole number is a number, unless it is too large for one."""
    if hint is float:
        return type(value) is float or (type(value) is int and abs(value) <= sys.float_info.max)
    return hint in (bool, int, str) and type(value) is hint
