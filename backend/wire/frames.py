# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: a fixed header, a JSON message, and the raw arrays that the message describes (docs/wire.md, "Frames").

Pure functions over bytes; a reader of a socket calls them in the order `parse_header`, `parse_document`,
`split_payload`, so that every length is checked before a byte of it is read.
"""

import json
import math
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MAGIC = b"H3DG"
PROTOCOL = 7
HEADER = struct.Struct("<4sHHIQ")

MAX_ARRAYS = 64
MAX_DIMENSIONS = 4
MAX_NAME = 64
DTYPES = {"uint8": np.dtype("u1"), "int32": np.dtype("<i4"), "float32": np.dtype("<f4")}

Array = NDArray[Any]
Document = dict[str, Any]


class WireError(Exception):
    """The other side broke the protocol. `code` is the failure code of docs/wire.md."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class Limits:
    """The largest message and payload, in bytes, that a side accepts."""

    message: int
    payload: int


GREETING = Limits(message=4096, payload=0)
TO_BACKEND = Limits(message=1 << 20, payload=512 << 20)
TO_CLIENT = Limits(message=1 << 20, payload=4 << 30)


@dataclass(frozen=True)
class Header:
    """The lengths, in bytes, of what follows a header."""

    message: int
    payload: int


@dataclass(frozen=True)
class ArraySpec:
    """One array of a payload: its name, its dtype's name and its shape."""

    name: str
    dtype: str
    shape: tuple[int, ...]

    @property
    def nbytes(self) -> int:
        """The array's length in the payload, in bytes."""
        return math.prod(self.shape) * DTYPES[self.dtype].itemsize


def encode(document: Mapping[str, Any], arrays: Mapping[str, Array]) -> list[bytes | memoryview]:
    """The pieces of one frame, in order; arrays that are contiguous already are not copied.

    Raises `ValueError` for a dtype, a number or a text that does not travel.
    """
    payload: list[memoryview] = []
    described: list[Document] = []
    for name, array in arrays.items():
        if array.dtype.name not in DTYPES:
            raise ValueError(f"an array of dtype {array.dtype} does not travel")
        described.append({"name": name, "dtype": array.dtype.name, "shape": list(array.shape)})
        contiguous = np.ascontiguousarray(array, dtype=DTYPES[array.dtype.name])
        payload.append(contiguous.reshape(-1).view(np.uint8).data)
    body = dict(document)
    if described:
        body["arrays"] = described
    message = json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    header = HEADER.pack(MAGIC, PROTOCOL, 0, len(message), sum(piece.nbytes for piece in payload))
    return [header + message, *payload]


def parse_header(data: bytes, limits: Limits) -> Header:
    """The lengths that a header announces, within `limits`.

    Raises `WireError` with the code wrong-version or bad-frame.
    """
    magic, protocol, reserved, message, payload = HEADER.unpack(data)
    if magic != MAGIC:
        raise WireError("bad-frame", "this is not a Hi3DGen frame")
    if protocol != PROTOCOL:
        raise WireError("wrong-version", f"protocol {protocol} is spoken there, {PROTOCOL} here")
    if reserved != 0:
        raise WireError("bad-frame", "the reserved field is not 0")
    if not 2 <= message <= limits.message:
        raise WireError("bad-frame", f"a message of {message} bytes is not between 2 and {limits.message}")
    if payload > limits.payload:
        raise WireError("bad-frame", f"a payload of {payload} bytes is larger than {limits.payload}")
    return Header(message, payload)


def parse_document(data: bytes | bytearray, header: Header) -> tuple[Document, tuple[ArraySpec, ...]]:
    """The JSON object of a message, without its `arrays`, and the arrays that they describe.

    Raises `WireError` (bad-frame) if it is no such object or disagrees with the header.
    """
    try:
        document = json.loads(data.decode("utf-8"), parse_constant=_finite, parse_float=_finite)
        if b"\\u" in data:  # half of a surrogate pair is no text: it could not be answered in UTF-8
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:  # the errors of Unicode are ValueErrors
        raise WireError("bad-frame", "the message is not JSON") from error
    if not isinstance(document, dict):
        raise WireError("bad-frame", "the message is not a JSON object")
    specs = _array_specs(document.pop("arrays", []))
    if sum(spec.nbytes for spec in specs) != header.payload:
        raise WireError("bad-frame", "the arrays do not fill the payload")
    return document, specs


def split_payload(specs: Sequence[ArraySpec], payload: bytearray) -> dict[str, Array]:
    """The arrays of a payload, as writable views into it."""
    arrays: dict[str, Array] = {}
    offset = 0
    for spec in specs:
        count = math.prod(spec.shape)
        flat = np.frombuffer(payload, DTYPES[spec.dtype], count, offset) if count else np.empty(0, DTYPES[spec.dtype])
        arrays[spec.name] = flat.reshape(spec.shape)
        offset += spec.nbytes
    return arrays


def _finite(text: str) -> float:
    """A number of JSON; NaN and Infinity are none, and 1e999 would become one."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text} is not JSON")
    return number


def _array_specs(described: object) -> tuple[ArraySpec, ...]:
    if not isinstance(described, list) or len(described) > MAX_ARRAYS:
        raise WireError("bad-frame", f"arrays is not a list of at most {MAX_ARRAYS}")
    specs = tuple(_array_spec(item) for item in described)
    if len({spec.name for spec in specs}) != len(specs):
        raise WireError("bad-frame", "two arrays have one name")
    return specs


def _array_spec(item: object) -> ArraySpec:
    if not isinstance(item, dict) or set(item) != {"name", "dtype", "shape"}:
        raise WireError("bad-frame", "an array is described by name, dtype and shape")
    name, dtype, shape = item["name"], item["dtype"], item["shape"]
    if not isinstance(name, str) or not 1 <= len(name) <= MAX_NAME:
        raise WireError("bad-frame", f"an array's name has 1 to {MAX_NAME} characters")
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise WireError("bad-frame", f"an array's dtype is one of {', '.join(DTYPES)}")
    if not isinstance(shape, list) or not 1 <= len(shape) <= MAX_DIMENSIONS:
        raise WireError("bad-frame", f"an array's shape has 1 to {MAX_DIMENSIONS} dimensions")
    if not all(type(side) is int and side >= 0 for side in shape):
        raise WireError("bad-frame", "an array's sides are whole numbers")
    if math.prod(max(side, 1) for side in shape) > 1 << 40:  # numpy refuses such shapes even if a side is 0
        raise WireError("bad-frame", "an array is too large")
    return ArraySpec(name, dtype, tuple(shape))
