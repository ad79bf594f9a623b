# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames as docs/wire.md describes them: what keeps the page is read, and nothing else is.

The bytes are put together here from the page alone, so that reader and writer cannot agree on a mistake.
"""

import json
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from backend.wire import frames
from backend.wire.frames import GREETING, TO_BACKEND, TO_CLIENT, Header, Limits, WireError

Arrays = dict[str, NDArray[Any]]

# JSON as the page allows it: no NaN, no infinity, and text that UTF-8 can hold.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(texts, children, max_size=4),
    max_leaves=12,
)
documents = st.dictionaries(texts.filter(lambda name: name != "arrays"), values, max_size=5)
some_arrays = st.dictionaries(
    texts.filter(bool),
    hnp.arrays(
        st.sampled_from([np.dtype("u1"), np.dtype("<i4"), np.dtype("<f4"), np.dtype(">i4"), np.dtype(">f4")]),
        hnp.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5),
    ),
    max_size=8,
)


def header(message: int, payload: int, magic: bytes = b"H3DG", version: int = 7, reserved: int = 0) -> bytes:
    """The 20 bytes of the page's table."""
    return magic + struct.pack("<HHIQ", version, reserved, message, payload)


def read(data: bytes, limits: Limits = TO_BACKEND) -> tuple[dict[str, Any], Arrays]:
    """One whole frame, in the order in which a receiver checks it."""
    found = frames.parse_header(data[:20], limits)
    document, specs = frames.parse_document(data[20 : 20 + found.message], found)
    return document, frames.split_payload(specs, bytearray(data[20 + found.message :]))


def refusal(message: object, payload: int = 0) -> str:
    """The code with which a message is refused; bytes stand for themselves."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode()
    with pytest.raises(WireError) as caught:
        frames.parse_document(data, Header(len(data), payload))
    return caught.value.code


def described(**changes: object) -> dict[str, object]:
    """A message with one array of six bytes, changed."""
    return {"type": "x", "arrays": [{"name": "a", "dtype": "uint8", "shape": [2, 3], **changes}]}


@given(documents, some_arrays)
def test_a_written_frame_reads_back(document: dict[str, Any], arrays: Arrays) -> None:
    again, arrays_again = read(b"".join(frames.encode(document, arrays)), TO_CLIENT)
    assert again == document
    assert list(arrays_again) == list(arrays)
    for name, array in arrays.items():
        assert arrays_again[name].dtype == array.dtype.newbyteorder("<")
        np.testing.assert_array_equal(arrays_again[name], array)


def test_a_frame_has_the_bytes_that_the_page_gives() -> None:
    array = np.array([[1, -2]], ">i4")
    message = b'{"type":"x","arrays":[{"name":"a","dtype":"int32","shape":[1,2]}]}'
    expected = header(len(message), 8) + message + struct.pack("<ii", 1, -2)
    assert b"".join(frames.encode({"type": "x"}, {"a": array})) == expected


def test_arrays_that_were_read_can_be_written_to() -> None:
    _, arrays = read(b"".join(frames.encode({}, {"a": np.arange(6, dtype=np.uint8), "b": np.ones(3, np.float32)})))
    arrays["a"] += 1
    arrays["b"][0] = 7.0
    assert arrays["a"].tolist() == [1, 2, 3, 4, 5, 6]


def test_strided_arrays_travel_in_c_order() -> None:
    array = np.arange(24, dtype=np.int32).reshape(4, 6)[::-2, ::3].T
    _, arrays = read(b"".join(frames.encode({}, {"a": array})))
    np.testing.assert_array_equal(arrays["a"], array)


def test_other_dtypes_do_not_travel() -> None:
    for dtype in ("float64", "int64", "bool", "object", "uint16"):
        with pytest.raises(ValueError, match="does not travel"):
            frames.encode({}, {"a": np.zeros(2, dtype)})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), "\ud800"])
def test_values_that_the_page_forbids_are_not_written(value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json's and Python's own sentences
        frames.encode({"value": value}, {})


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (header(2, 0, magic=b"H3DH"), "bad-frame"),
        (header(2, 0, magic=b"GET "), "bad-frame"),
        (header(2, 0, version=0), "wrong-version"),
        (header(2, 0, version=1), "wrong-version"),
        (header(2, 0, version=1792), "wrong-version"),  # 7 in the other byte order
        (header(2, 0, version=8, reserved=9), "wrong-version"),  # a later version may use the field
        (header(2, 0, reserved=1), "bad-frame"),
        (header(0, 0), "bad-frame"),
        (header(1, 0), "bad-frame"),
        (header(2**20 + 1, 0), "bad-frame"),
        (header(2**32 - 1, 0), "bad-frame"),
        (header(2, 2**29 + 1), "bad-frame"),
        (header(2, 2**64 - 1), "bad-frame"),
    ],
)
def test_a_wrong_header_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(WireError) as caught:
        frames.parse_header(data, TO_BACKEND)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("limits", "message", "payload"),
    [(GREETING, 4096, 0), (TO_BACKEND, 2**20, 512 * 2**20), (TO_CLIENT, 2**20, 4 * 2**30)],
)
def test_the_limits_of_the_page(limits: Limits, message: int, payload: int) -> None:
    assert frames.parse_header(header(message, payload), limits) == Header(message, payload)
    assert frames.parse_header(header(2, 0), limits) == Header(2, 0)
    for too_large in (header(message + 1, payload), header(message, payload + 1)):
        with pytest.raises(WireError, match="bytes"):
            frames.parse_header(too_large, limits)


@given(st.binary(min_size=20, max_size=20))
def test_random_headers_are_read_or_refused(data: bytes) -> None:
    try:
        found = frames.parse_header(data, GREETING)
    except WireError:
        return
    assert data == header(found.message, found.payload)


@given(documents, some_arrays, st.data())
def test_a_message_cut_short_is_refused(document: dict[str, Any], arrays: Arrays, data: st.DataObject) -> None:
    whole = b"".join(frames.encode(document, arrays))
    found = frames.parse_header(whole[:20], TO_BACKEND)
    message = whole[20 : 20 + found.message]
    end = data.draw(st.integers(0, len(message) - 1))
    assert refusal(message[:end], found.payload) == "bad-frame"


@given(st.binary(max_size=60), st.integers(0, 100))
def test_random_bytes_are_no_message(data: bytes, payload: int) -> None:
    try:
        document, specs = frames.parse_document(data, Header(len(data), payload))
    except WireError:
        return
    assert document == json.loads(data)
    assert payload == sum(spec.nbytes for spec in specs)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"null",
        b'"type"',
        b"1",
        b"{}{}",
        b'{"a": 1} x',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": [Infinity]}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": {"b": -1e999}}',
        b'{"a": 1' + b"0" * 5000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": "\xed\xa0\x80"}',
        b'{"a": "\\ud800"}',
        b'{"\\uDfff": 1}',
        b"\xef\xbb\xbf{}",
        '{"a": "ä"}'.encode("utf-16"),
        b"[" * 2**20,
        b'{"a":' * 2**17 + b"1" + b"}" * 2**17,
    ],
    ids=lambda data: repr(data[:20]),
)
def test_a_message_that_is_no_json_object_is_refused(data: bytes) -> None:
    assert refusal(data) == "bad-frame"


def test_a_pair_of_surrogates_is_one_character() -> None:
    document, _ = frames.parse_document(data := b'{"a": "\\ud83d\\ude00"}', Header(len(data), 0))
    assert document == {"a": "\N{GRINNING FACE}"}


@pytest.mark.parametrize(
    "message",
    [
        {"arrays": None},
        {"arrays": {}},
        {"arrays": "a"},
        {"arrays": [None]},
        {"arrays": [[]]},
        {"arrays": [{}]},
        {"arrays": [{"name": "a", "dtype": "uint8"}]},
        described(offset=0),
        described(name=""),
        described(name="n" * 65),
        described(name=1),
        described(dtype="uint16"),
        described(dtype="object"),
        described(dtype="<f4"),
        described(dtype=["uint8"]),
        described(dtype=None),
        described(shape=[]),
        described(shape=6),
        described(shape="6"),
        described(shape={}),
        described(shape=[1, 1, 1, 2, 3]),
        described(shape=[-2, -3]),
        described(shape=[2.0, 3]),
        described(shape=[True, 6]),
        described(shape=["2", 3]),
        described(shape=[None, 3]),
        described(shape=[2, 4]),
        described(shape=[2, 2]),
        described(dtype="int32"),
        described(shape=[2**62, 2**62]),
        described(shape=[10**4000, 10**4000]),
    ],
    ids=str,
)
def test_a_wrong_description_is_refused(message: object) -> None:
    assert refusal(message, 6) == "bad-frame"


@pytest.mark.parametrize("shape", [[0, 2**63], [2**63, 0], [0, 2**40, 2**40, 1], [0, 10**4000]])
def test_a_side_of_0_beside_a_huge_one_is_refused(shape: list[int]) -> None:
    assert refusal(described(shape=shape), 0) == "bad-frame"


@given(st.lists(st.integers(0, 2**64), min_size=1, max_size=4))
def test_any_shape_is_an_array_or_a_refusal(shape: list[int]) -> None:
    data = json.dumps(described(shape=[0, *shape][:4])).encode()
    try:
        _, specs = frames.parse_document(data, Header(len(data), 0))
    except WireError:
        return
    assert frames.split_payload(specs, bytearray())["a"].shape == tuple([0, *shape][:4])


def test_names_are_given_once_and_arrays_are_sixty_four() -> None:
    one = {"name": "a", "dtype": "uint8", "shape": [1]}
    most = [one | {"name": str(number)} for number in range(64)]
    data = json.dumps({"arrays": most}).encode()
    _, specs = frames.parse_document(data, Header(len(data), 64))
    assert [spec.name for spec in specs] == [str(number) for number in range(64)]
    assert refusal({"arrays": [*most, one]}, 65) == "bad-frame"
    assert refusal({"arrays": [one, one]}, 2) == "bad-frame"


@pytest.mark.parametrize("payload", [0, 5, 7, 12])
def test_the_arrays_fill_the_payload(payload: int) -> None:
    assert refusal(described(), payload) == "bad-frame"
    assert refusal({"type": "x"}, payload + 1) == "bad-frame"
