# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of docs/wire.md, each a frozen dataclass, and how they become frames and come back.

The dataclasses are the specification in code: `decode` checks a frame against their annotations.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import frames
from .frames import Array, ArraySpec, Document, WireError
from .limits import (
    CAMERA_NUMBERS,
    MAX_COUNT,
    MAX_INPUTS,
    MAX_JOB,
    MAX_PIXELS,
    MAX_SEED,
    MAX_SIDE,
    MAX_VIEWS,
    VIEW_SHAPE,
    Scalar,
)
from .products import Product, check_product_specs, documents_of, products_from
from .records import array, arrays, check_specs, fields_of, from_fields

# --- to the backend ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Hello:
    """The greeting, with the secret that the parent handed over."""

    token: str
    client: str


@dataclass(frozen=True)
class Request:
    """Make what `engine` gives, once for each of `count` seeds, which are `seeds_from(seed, count)`.

    inputs: pictures by name, uint8 (H, W, 4) sRGB with straight alpha, row 0 on top; `picture` always. gives: the names
    of the products that are wanted; all that the engine gives by itself if empty.

    mesh_vertices, mesh_triangles: what the picture is put onto, for engines that take a mesh; mesh_corner_uv: its own
    UVs; mesh_faces: the face that each triangle is part of. camera: 14 numbers, the first three rows of a camera's
    matrix, its fov and its width; empty for none. views: pictures from around the object, as `inputs` are, which are
    put onto the mesh, too, or which a mesh is made of; view_cameras: as many numbers as `camera` has for each, in a
    frame that they share. normal_views: the normal map of each view, by the same camera, as `own_normal_map` is.
    """

    job: str
    engine: str
    seed: int
    inputs: Mapping[str, NDArray[np.uint8]] = field(metadata=arrays("uint8", None, None, 4))
    settings: Mapping[str, Scalar] = field(default_factory=dict[str, Scalar])
    count: int = 1
    gives: tuple[str, ...] = ()
    mesh_vertices: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 3))
    mesh_triangles: NDArray[np.int32] | None = field(default=None, metadata=array("int32", None, 3))
    mesh_corner_uv: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 3, 2))
    mesh_faces: NDArray[np.int32] | None = field(default=None, metadata=array("int32", None))
    camera: tuple[float, ...] = ()
    views: NDArray[np.uint8] | None = field(default=None, metadata=array("uint8", None, None, None, 4))
    view_cameras: tuple[float, ...] = ()
    normal_views: NDArray[np.uint8] | None = field(default=None, metadata=array("uint8", None, None, None, 4))


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
class OptionInfo:
    """One of the things that a setting can be. formerly: names in older versions, which still stand for it."""

    name: str
    label: str
    description: str
    formerly: tuple[str, ...] = ()


@dataclass(frozen=True)
class SettingInfo:
    """What an engine lets the artist choose; the kind follows from `default`.

    A number lies in [minimum, maximum] and is whole if `default` is an int; a bool is a switch; a string is the name of
    one of `options`, or, if there are none, a line of at most `maximum` characters. `advanced` is what most artists
    never touch.
    """

    name: str
    label: str
    description: str
    default: bool | int | float | str
    minimum: int | float = 0
    maximum: int | float = 0
    options: tuple[OptionInfo, ...] = ()
    advanced: bool = False


@dataclass(frozen=True)
class PresetInfo:
    """Values for some of an engine's settings under one name; all other settings take their defaults."""

    name: str
    label: str
    description: str
    settings: Mapping[str, Scalar]


@dataclass(frozen=True)
class EngineInfo:
    """What one engine can do. `missing` is empty if it can run, else a sentence that says why it cannot.

    inputs: the names of the pictures that it takes. products: what it gives, by name, with their kinds. on_request: the
    same of what it gives only if a request names it. versions: what besides the program's version decides what a seed
    means, such as the revisions of weights. presets: values of its settings by name, for people to choose from. terms:
    sentences on who may use it, and for what, and terms_url: where its licence is; both may be empty. external: whether
    it is a program that the user has described, see docs/external_engines.md.
    """

    name: str
    label: str
    description: str
    uses_seed: bool
    needs_gpu: bool
    missing: str
    inputs: tuple[str, ...]
    products: Mapping[str, str]
    on_request: Mapping[str, str]
    versions: Mapping[str, str]
    settings: tuple[SettingInfo, ...]
    presets: tuple[PresetInfo, ...] = ()
    terms: str = ""
    terms_url: str = ""
    external: bool = False


@dataclass(frozen=True)
class Capabilities:
    """The answer to `Hello`. tools: engines that work on a mesh that the request brings."""

    version: str
    engines: tuple[EngineInfo, ...]
    tools: tuple[EngineInfo, ...] = ()


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

    @property
    def done(self) -> float:
        """How much of the job is done, in [0, 1]."""
        return (self.stage_index + self.step / max(self.of, 1)) / max(self.stage_count, 1)


@dataclass(frozen=True)
class Preview:
    """A thumbnail of the product of that name: `pixels` uint8 (H, W, 4), row 0 on top."""

    job: str
    product: str
    pixels: NDArray[np.uint8] = field(metadata=array("uint8", None, None, 4))


@dataclass(frozen=True)
class Result:
    """What one seed led to: result `index` (from 0) of `count` of the job, with its products by name.

    notes: sentences for the artist on how they were made. recipe: what is needed to make the same again. seconds: of
    the stages that ran.
    """

    job: str
    seed: int
    index: int
    count: int
    recipe: Mapping[str, Any]
    seconds: Mapping[str, float]
    notes: tuple[str, ...]
    products: Mapping[str, Product]

    @property
    def last(self) -> bool:
        """Whether nothing comes after it about its job."""
        return self.index + 1 >= self.count


@dataclass(frozen=True)
class Failure:
    """What happened and what to do. `job` is empty if no job is meant."""

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


ToBackend = Hello | Request | Cancel | GetStatus | Unload | Shutdown
ToClient = Capabilities | Queued | Progress | Preview | Result | Failure | Status
Message = ToBackend | ToClient

TO_BACKEND: dict[str, type[ToBackend]] = {
    "hello": Hello,
    "request": Request,
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
    if isinstance(message, Result):
        fields, _ = fields_of(message, leave_out="products")
        fields["products"], payload = documents_of(message.products)
    else:
        fields, payload = fields_of(message)
    return frames.encode(document | fields, payload)


def receive(kinds: Mapping[str, type[Message]], limits: frames.Limits, exactly: Callable[[int], bytearray]) -> Message:
    """The message of the next frame. exactly: gives so many of the bytes that come next, or raises `EOFError`.

    Raises `WireError`, and what `exactly` raises.
    """
    header = frames.parse_header(bytes(exactly(frames.HEADER.size)), limits)
    document, specs = frames.parse_document(exactly(header.message), header)
    check_arrays(kinds, document, specs)
    return decode(kinds, document, frames.split_payload(specs, exactly(header.payload)))


def check_arrays(kinds: Mapping[str, type[Message]], document: Document, specs: Sequence[ArraySpec]) -> None:
    """Refuse, before a payload is read, arrays that the message's type does not have in that dtype and shape.

    Raises `WireError` (bad-message).
    """
    kind = _kind(kinds, document)
    if kind is Result:
        check_product_specs(document.get("products"), [*specs])
        return
    check_specs(kind, specs, document["type"])
    if kind is Request:
        pictures = [spec for spec in specs if "." in spec.name]
        if len(pictures) > MAX_INPUTS:
            raise WireError("bad-message", f"a request brings at most {MAX_INPUTS} pictures")
        for count, *sides, _ in (spec.shape for spec in specs if spec.name in ("views", "normal_views")):
            if not (count <= MAX_VIEWS and 0 < count * math.prod(sides) <= MAX_PIXELS):
                raise WireError("bad-message", f"a request brings 1 to {MAX_VIEWS} views of {MAX_PIXELS} pixels in all")
            if max(sides) > VIEW_SHAPE * min(sides):
                raise WireError("bad-message", f"a view's sides differ by at most {VIEW_SHAPE} times")
        for spec in pictures:
            height, width, _ = spec.shape
            if not (1 <= height <= MAX_SIDE and 1 <= width <= MAX_SIDE and height * width <= MAX_PIXELS):
                raise WireError("bad-message", f"{spec.name} is not between 1 and {MAX_SIDE} pixels a side")


def decode(kinds: Mapping[str, type[Message]], document: Document, payload: Mapping[str, Array]) -> Message:
    """The message that a frame carries, checked field by field.

    `kinds` are the types that may come from that side. Raises `WireError` (bad-message).
    """
    kind = _kind(kinds, document)
    given = {name: value for name, value in document.items() if name != "type"}
    if kind is Result:
        products = products_from(given.pop("products", None), payload)
        return from_fields(Result, given, {}, "result", products=products)
    message = from_fields(kind, given, payload, document["type"])
    if isinstance(message, Request):
        _check_request(message)
    return message


def _check_request(request: Request) -> None:
    if not 1 <= len(request.job) <= MAX_JOB:
        raise WireError("bad-message", f"a job's name has 1 to {MAX_JOB} characters")
    if not 0 <= request.seed <= MAX_SEED:
        raise WireError("bad-message", f"a seed lies between 0 and {MAX_SEED}")
    if not 1 <= request.count <= MAX_COUNT:
        raise WireError("bad-message", f"a job makes 1 to {MAX_COUNT} results")
    if "picture" not in request.inputs:
        raise WireError("bad-message", "request lacks a field")
    if (request.mesh_vertices is None) != (request.mesh_triangles is None):
        raise WireError("bad-message", "a mesh has vertices and triangles")
    count = -1 if request.mesh_triangles is None else len(request.mesh_triangles)
    if any(len(part) != count for part in (request.mesh_corner_uv, request.mesh_faces) if part is not None):
        raise WireError("bad-message", "a mesh has UVs and a face for each of its triangles")
    if len(request.camera) not in (0, CAMERA_NUMBERS):
        raise WireError("bad-message", f"a camera is {CAMERA_NUMBERS} numbers")
    if len(request.view_cameras) != CAMERA_NUMBERS * (0 if request.views is None else len(request.views)):
        raise WireError("bad-message", f"each view has a camera of {CAMERA_NUMBERS} numbers")
    count = 0 if request.views is None else len(request.views)
    if request.normal_views is not None and len(request.normal_views) != count:
        raise WireError("bad-message", "there is a normal map for each view")


def _kind(kinds: Mapping[str, type[Message]], document: Document) -> type[Message]:
    name = document.get("type")
    if not isinstance(name, str) or name not in kinds:
        raise WireError("bad-message", "the message's type is unknown")
    return kinds[name]
