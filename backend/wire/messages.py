# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of docs/wire.md, each a frozen dataclass, and how they become frames and come back.

The dataclasses are the specification in code: `decode` checks a frame against their annotations, so
that a message that exists is a message that keeps the page.
"""

import dataclasses
import sys
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import frames
from .frames import Array, ArraySpec, Document, WireError

Scalar = bool | int | float | str
MAX_SIDE = 16_384
MAX_PIXELS = 8_192**2
MAX_PREVIEW_SIDE = 256
MAX_JOB = 64
MAX_SEED = 2**31 - 1
MAX_COUNT = 16


def _array(dtype: str, *shape: int | None) -> dict[str, Any]:
    """The metadata of a field that travels in the payload; None in `shape` is any length."""
    return {"dtype": dtype, "shape": shape}


# --- to the backend ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """The greeting, with the secret that the parent handed over."""

    token: str
    client: str


@dataclass(frozen=True)
class Generate:
    """Make `count` meshes of `picture`, uint8 (H, W, 4) sRGB with straight alpha, row 0 on top: one a seed.

    The seeds are `seeds_from(seed, count)`.
    """

    job: str
    engine: str
    seed: int
    picture: NDArray[np.uint8] = field(metadata=_array("uint8", None, None, 4))
    settings: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    normal_map: NDArray[np.uint8] | None = field(default=None, metadata=_array("uint8", None, None, 4))
    count: int = 1


@dataclass(frozen=True)
class Cancel:
    """End that job."""

    job: str


@dataclass(frozen=True)
class GetStatus:
    """Ask for a `Status`."""


@dataclass(frozen=True)
class Unload:
    """Forget cached results and give memory back."""


@dataclass(frozen=True)
class Shutdown:
    """Cancel everything and end the backend."""


# --- to the client ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Choice:
    """One of the things that a setting can be."""

    name: str
    label: str
    description: str


@dataclass(frozen=True)
class Setting:
    """What an engine lets the artist choose; the kind follows from `default`.

    A number lies in [minimum, maximum] and is whole where `default` is an int; a string is the name of one of
    `choices`; a bool is a switch. `advanced` is what most artists never touch.
    """

    name: str
    label: str
    description: str
    default: bool | int | float | str
    minimum: int | float = 0
    maximum: int | float = 0
    choices: tuple[Choice, ...] = ()
    advanced: bool = False


@dataclass(frozen=True)
class EngineInfo:
    """What one engine can do. `missing` is empty where it can run, else a sentence that says why it cannot."""

    name: str
    label: str
    description: str
    uses_seed: bool
    needs_gpu: bool
    missing: str
    settings: tuple[Setting, ...]


@dataclass(frozen=True)
class Capabilities:
    """The answer to `Hello`."""

    version: str
    engines: tuple[EngineInfo, ...]


@dataclass(frozen=True)
class Queued:
    """The job waits behind `position` others."""

    job: str
    position: int


@dataclass(frozen=True)
class Progress:
    """Step `step` of `of` of the stage `stage_index` (from 0) of `stage_count`; the estimate is for the whole job."""

    job: str
    stage: str
    label: str
    stage_index: int
    stage_count: int
    step: int
    of: int
    eta_seconds: float | None


@dataclass(frozen=True)
class Preview:
    """A thumbnail of what a stage has made: `pixels` uint8 (H, W, 4), row 0 on top.

    `kind` is cutout, normals or voxels.
    """

    job: str
    kind: str
    pixels: NDArray[np.uint8] = field(metadata=_array("uint8", None, None, 4))


@dataclass(frozen=True)
class Result:
    """A finished mesh, in the conventions of docs/wire.md, and its normal map as a PNG file's bytes.

    It is mesh `index` (from 0) of `count` of the job. colours: sRGB in [0, 1]; vertex_normals: unit. notes: sentences
    for the artist on how it was made.
    """

    job: str
    seed: int
    index: int
    count: int
    recipe: Mapping[str, Any]
    seconds: Mapping[str, float]
    vertices: NDArray[np.float32] = field(metadata=_array("float32", None, 3))
    triangles: NDArray[np.int32] = field(metadata=_array("int32", None, 3))
    uv: NDArray[np.float32] = field(metadata=_array("float32", None, 2))
    normal_map: NDArray[np.uint8] = field(metadata=_array("uint8", None))
    colours: NDArray[np.float32] | None = field(default=None, metadata=_array("float32", None, 3))
    vertex_normals: NDArray[np.float32] | None = field(default=None, metadata=_array("float32", None, 3))
    notes: tuple[str, ...] = ()

    @property
    def last(self) -> bool:
        """Whether nothing comes after it about its job."""
        return self.index + 1 >= self.count


@dataclass(frozen=True)
class Failure:
    """What happened and what to do. `job` is empty where no job is meant."""

    job: str
    code: str
    sentence: str
    advice: str


@dataclass(frozen=True)
class Status:
    """What the backend is doing. `running` is the job's name, or empty."""

    version: str
    pid: int
    queued: int
    running: str
    cached_bytes: int
    uptime_seconds: float


ToBackend = Hello | Generate | Cancel | GetStatus | Unload | Shutdown
ToClient = Capabilities | Queued | Progress | Preview | Result | Failure | Status
Message = ToBackend | ToClient

TO_BACKEND: dict[str, type[ToBackend]] = {
    "hello": Hello,
    "generate": Generate,
    "cancel": Cancel,
    "status": GetStatus,
    "unload": Unload,
    "shutdown": Shutdown,
}
TO_CLIENT: dict[str, type[ToClient]] = {
    "capabilities": Capabilities,
    "queued": Queued,
    "progress": Progress,
    "preview": Preview,
    "result": Result,
    "failure": Failure,
    "status": Status,
}
_NAMES: dict[type, str] = {kind: name for table in (TO_BACKEND, TO_CLIENT) for name, kind in table.items()}


def encode(message: Message) -> list[bytes | memoryview]:
    """The pieces of the frame that carries `message`."""
    document: Document = {"type": _NAMES[type(message)]}
    arrays: dict[str, Array] = {}
    for item in dataclasses.fields(message):
        value = getattr(message, item.name)
        if "dtype" not in item.metadata:
            document[item.name] = _plain(value)
        elif value is not None:
            arrays[item.name] = value
    return frames.encode(document, arrays)


def check_arrays(kinds: Mapping[str, type[Message]], document: Document, specs: Sequence[ArraySpec]) -> None:
    """Refuse, before a payload is read, arrays that the message's type does not have in that dtype and shape.

    Raises `WireError` (bad-message).
    """
    kind = _kind(kinds, document)
    wanted = {item.name: item for item in dataclasses.fields(kind) if "dtype" in item.metadata}
    for spec in specs:
        if spec.name not in wanted:
            raise WireError("bad-message", f"{document['type']} has no array {spec.name}")
        metadata = wanted[spec.name].metadata
        shape = metadata["shape"]
        fits = len(shape) == len(spec.shape) and all(a in (None, b) for a, b in zip(shape, spec.shape, strict=True))
        if spec.dtype != metadata["dtype"] or not fits:
            raise WireError("bad-message", f"the array {spec.name} is not {metadata['dtype']} of its shape")
    if kind is Generate:
        for spec in specs:
            height, width, _ = spec.shape
            if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and height * width <= MAX_PIXELS):
                raise WireError("bad-message", f"{spec.name} is not between 1 and {MAX_SIDE} pixels a side")


def decode(kinds: Mapping[str, type[Message]], document: Document, arrays: Mapping[str, Array]) -> Message:
    """The message that a frame carries, checked field by field.

    `kinds` are the types that may come from that side. Raises `WireError` (bad-message).
    """
    kind = _kind(kinds, document)
    given = {name: value for name, value in document.items() if name != "type"}
    array_fields = {item.name for item in dataclasses.fields(kind) if "dtype" in item.metadata}
    if array_fields & set(given):
        raise WireError("bad-message", "an array does not travel as JSON")
    given.update(arrays)
    hints = _hints(kind)
    for name in set(given) - set(hints):
        raise WireError("bad-message", f"{document['type']} has no field {name}")
    values = {name: value if name in array_fields else _checked(hints[name], value) for name, value in given.items()}
    try:
        message = kind(**values)
    except TypeError as error:
        raise WireError("bad-message", f"{document['type']} lacks a field") from error
    if isinstance(message, Generate):
        _check_generate(message)
    return message


def seed_from_text(text: str) -> int:
    """The seed that somebody typed: decimal digits, from 0 to `MAX_SEED`. Raises ValueError with a sentence to show."""
    if not (text.isascii() and text.isdecimal() and len(text) < 20 and int(text) <= MAX_SEED):
        raise ValueError(f"A seed is a whole number from 0 to {MAX_SEED}.")
    return int(text)


def seeds_from(seed: int, count: int) -> list[int]:
    """`count` seeds: `seed` and those that follow, 0 after `MAX_SEED`."""
    return [(seed + number) % (MAX_SEED + 1) for number in range(count)]


def _check_generate(message: Generate) -> None:
    if not 1 <= len(message.job) <= MAX_JOB:
        raise WireError("bad-message", f"a job's name has 1 to {MAX_JOB} characters")
    if not 0 <= message.seed <= MAX_SEED:
        raise WireError("bad-message", f"a seed lies between 0 and {MAX_SEED}")
    if not 1 <= message.count <= MAX_COUNT:
        raise WireError("bad-message", f"a job makes 1 to {MAX_COUNT} meshes")


def _kind(kinds: Mapping[str, type[Message]], document: Document) -> type[Message]:
    name = document.get("type")
    if not isinstance(name, str) or name not in kinds:
        raise WireError("bad-message", "the message's type is unknown")
    return kinds[name]


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
    """`value` where it is what `hint` says; a list of objects becomes a tuple of dataclasses."""
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
