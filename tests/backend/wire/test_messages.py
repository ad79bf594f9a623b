# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of docs/wire.md: each of them travels, and nothing that differs from the page's tables does."""

import dataclasses
import itertools
import json
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backend.wire import frames, limits, messages, products
from backend.wire.frames import ArraySpec, Header, WireError
from backend.wire.messages import TO_BACKEND, TO_CLIENT, Message

Document = dict[str, Any]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
jobs = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=64)
counts = st.integers(0, 2**53)
numbers = st.integers(-(2**31), 2**31) | st.floats(allow_nan=False, allow_infinity=False)
scalars = st.booleans() | numbers | texts
pictures = hnp.arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6), st.just(4)))
options = st.builds(messages.OptionInfo, texts, texts, texts, st.lists(texts, max_size=2).map(tuple))
settings = st.builds(
    messages.SettingInfo,
    texts, texts, texts, scalars, numbers, numbers, st.lists(options, max_size=2).map(tuple),
    st.booleans(),
)  # fmt: skip
engines = st.builds(
    messages.EngineInfo,
    texts, texts, texts, st.booleans(), st.booleans(), texts, st.lists(texts, max_size=3).map(tuple),
    st.dictionaries(texts, texts, max_size=3), st.dictionaries(texts, texts, max_size=3),
    st.dictionaries(texts, texts, max_size=3), st.lists(settings, max_size=3).map(tuple),
)  # fmt: skip


def rows(dtype: type, width: int) -> st.SearchStrategy[Any]:
    return hnp.arrays(dtype, st.tuples(st.integers(0, 6), st.just(width)))


def with_picture(inputs: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    return pictures.map(lambda picture: {"picture": picture, **inputs})


def views_of(sizes: list[int]) -> products.Views:
    angles = tuple(float(size) for size in sizes)
    matrices = np.zeros((len(sizes), 4, 4), np.float32)
    return products.Views(tuple(sizes), angles, angles, np.arange(sum(sizes), dtype=np.uint8), matrices)


def viewpoints_of(count: int) -> products.Viewpoints:
    numbers = tuple(float(number) for number in range(count))
    return products.Viewpoints(True, *[numbers] * 8, matrices=np.zeros((count, 4, 4), np.float32))  # noqa: FBT003


CAMERA = tuple(float(number) for number in range(14))
files = hnp.arrays(np.uint8, st.integers(0, 50))
images = [st.none() | files] * 4
PRODUCTS: list[st.SearchStrategy[Any]] = [
    st.builds(products.Cutout, hnp.arrays(np.uint8, st.tuples(st.integers(0, 6), st.integers(1, 6)))),
    st.builds(products.NormalMap, files),
    st.builds(products.Panorama, files),
    st.builds(products.Texture, *images),
    st.builds(
        products.Mesh,
        rows(np.float32, 3), rows(np.int32, 3), rows(np.float32, 2), st.none(),
        st.none() | rows(np.float32, 3), st.none() | rows(np.float32, 3), st.none() | rows(np.float32, 2), *images,
    ),
    st.builds(
        products.Mesh,
        rows(np.float32, 3), rows(np.int32, 3), st.none(), hnp.arrays(np.float32, (2, 3, 2)),
    ),
    st.lists(st.integers(0, 20), max_size=3).map(views_of),
    st.integers(1, 3).map(viewpoints_of),
]  # fmt: skip
MESSAGES: list[st.SearchStrategy[Any]] = [
    st.builds(messages.Hello, texts, texts),
    st.builds(
        messages.Request,
        jobs, texts, st.integers(0, 2**31 - 1),
        st.dictionaries(st.text("abc.", min_size=1, max_size=8), pictures, max_size=3).flatmap(with_picture),
        st.dictionaries(texts, scalars, max_size=4), st.integers(1, 16), st.lists(texts, max_size=3).map(tuple),
        rows(np.float32, 3), hnp.arrays(np.int32, (2, 3)), st.none() | hnp.arrays(np.float32, (2, 3, 2)),
        st.none() | hnp.arrays(np.int32, 2), st.sampled_from([(), CAMERA]),
        st.just(np.zeros((2, 3, 4, 4), np.uint8)), st.just(CAMERA * 2),
    ),
    st.builds(messages.Cancel, texts),
    st.just(messages.GetStatus()),
    st.just(messages.Unload()),
    st.just(messages.Shutdown()),
    st.builds(messages.Capabilities, texts, *[st.lists(engines, max_size=3).map(tuple)] * 2),
    st.builds(messages.Queued, jobs, counts),
    st.builds(messages.Progress, jobs, texts, texts, counts, counts, counts, counts, st.none() | numbers),
    st.builds(messages.Preview, jobs, texts, pictures),
    st.builds(
        messages.Result,
        jobs, counts, counts, counts,
        st.dictionaries(texts, scalars, max_size=4), st.dictionaries(texts, numbers, max_size=4),
        st.lists(texts, max_size=3).map(tuple),
        st.dictionaries(st.text("abc", min_size=1, max_size=4), st.one_of(PRODUCTS), max_size=3),
    ),
    st.builds(messages.Failure, texts, texts, texts, texts),
    st.builds(messages.Status, texts, counts, counts, texts, counts, numbers),
]  # fmt: skip


def kinds_of(message: Message) -> Mapping[str, type[Message]]:
    return TO_BACKEND if type(message) in TO_BACKEND.values() else TO_CLIENT


def parts(message: Message) -> tuple[Document, tuple[ArraySpec, ...], dict[str, frames.Array]]:
    """What a receiver holds of a message before it makes sense of it."""
    data = b"".join(messages.encode(message))
    header = frames.parse_header(data[:20], frames.TO_CLIENT)
    document, specs = frames.parse_document(data[20 : 20 + header.message], header)
    return document, specs, frames.split_payload(specs, bytearray(data[20 + header.message :]))


def receive(kinds: Mapping[str, type[Message]], document: Document, arrays: dict[str, frames.Array]) -> Message:
    """A message that came as this JSON with these arrays."""
    pieces = b"".join(frames.encode(document, arrays))
    header = frames.parse_header(pieces[:20], frames.TO_CLIENT)
    found, specs = frames.parse_document(pieces[20 : 20 + header.message], header)
    messages.check_arrays(kinds, found, specs)
    payload = bytearray(pieces[20 + header.message :])
    return messages.decode(kinds, found, frames.split_payload(specs, payload))


def refused(kinds: Mapping[str, type[Message]], document: Document, arrays: dict[str, frames.Array]) -> bool:
    """Whether such a message is refused as the page says; anything but a refusal or a message is an error."""
    try:
        receive(kinds, document, arrays)
    except WireError as error:
        return error.code == "bad-message"
    return False


def same(a: object, b: object) -> bool:
    """Equal, arrays and what holds them included."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, Mapping):
        return isinstance(b, Mapping) and a.keys() == b.keys() and all(same(a[name], b[name]) for name in a)
    if dataclasses.is_dataclass(a):
        names = [item.name for item in dataclasses.fields(a)]
        return type(a) is type(b) and all(same(getattr(a, name), getattr(b, name)) for name in names)
    return a == b


@given(st.one_of(MESSAGES))
def test_every_message_travels(message: Message) -> None:
    document, specs, arrays = parts(message)
    messages.check_arrays(kinds_of(message), document, specs)
    assert same(messages.decode(kinds_of(message), document, arrays), message)


def test_every_type_of_the_page_is_tried_above() -> None:
    tried = {type(example) for example in examples()}
    assert tried == {*TO_BACKEND.values(), *TO_CLIENT.values()}
    assert set(TO_BACKEND) == {"hello", "request", "cancel", "status", "unload", "shutdown"}
    assert set(TO_CLIENT) == {"capabilities", "queued", "progress", "preview", "result", "failure", "status"}


MESH = products.Mesh(
    vertices=np.eye(3, dtype=np.float32),
    triangles=np.array([[0, 1, 2]], np.int32),
    uv=np.zeros((3, 2), np.float32),
    colours=np.ones((3, 3), np.float32),
    vertex_normals=np.eye(3, dtype=np.float32),
    base_colour=np.arange(7, dtype=np.uint8),
)


def examples() -> Iterator[Message]:
    """One message of every type, nothing in it empty."""
    picture = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    setting = messages.SettingInfo("resolution", "Resolution", "The side", 512, 64, 1024)
    engine = messages.EngineInfo(
        "draft",
        "Draft",
        "Fast",
        uses_seed=True,
        needs_gpu=False,
        missing="",
        inputs=("picture",),
        products={"mesh": "mesh"},
        on_request={"cutout": "cutout"},
        versions={"weights": "one"},
        settings=(setting,),
    )
    yield messages.Hello("t" * 32, "a test")
    yield messages.Request(
        *("one", "draft", 7, {"picture": picture, "left": picture}, {"resolution": 64}, 3, ("mesh",)),
        mesh_vertices=MESH.vertices,
        mesh_triangles=MESH.triangles,
        mesh_corner_uv=np.zeros((1, 3, 2), np.float32),
        mesh_faces=np.zeros(1, np.int32),
        camera=CAMERA,
        views=np.arange(48, dtype=np.uint8).reshape(1, 3, 4, 4),
        view_cameras=CAMERA,
        normal_views=np.arange(24, dtype=np.uint8).reshape(1, 2, 3, 4),
    )
    yield messages.Cancel("one")
    yield messages.GetStatus()
    yield messages.Unload()
    yield messages.Shutdown()
    yield messages.Capabilities("0.1.0", (engine,), (engine,))
    yield messages.Queued("one", 2)
    yield messages.Progress("one", "normals", "Estimating normals", 1, 4, 3, 10, 2.5)
    yield messages.Preview("one", "cutout", picture)
    yield messages.Result(
        job="one",
        seed=7,
        index=0,
        count=3,
        recipe={"engine": "draft"},
        seconds={"normals": 0.5},
        notes=("Two floaters went.",),
        products={
            "cutout": products.Cutout(np.arange(6, dtype=np.uint8).reshape(2, 3)),
            "mesh": MESH,
            "normal_map": products.NormalMap(np.arange(9, dtype=np.uint8)),
            "around": views_of([4, 5]),
            "from": viewpoints_of(2),
        },
    )
    yield messages.Failure("one", "cancelled", "The job was cancelled.", "Try again.")
    yield messages.Status("0.1.0", 4711, 2, "one", 1 << 20, 12.5)


OPTIONAL: dict[type[Message], set[str]] = {
    messages.Request: {
        *("settings", "count", "gives"),
        *("mesh_vertices", "mesh_triangles", "mesh_corner_uv", "mesh_faces", "camera"),
        *("views", "view_cameras", "normal_views"),
    },
    messages.Capabilities: {"tools"},
}

BESIDE_ARRAYS = {"view_cameras"}
"""Fields that may be missing only with an array."""

OPTIONAL_ARRAYS = {
    "inputs.left",
    "normal_views",
    "mesh_corner_uv",
    "mesh_faces",
    "mesh.colours",
    "mesh.vertex_normals",
    "mesh.base_colour",
}

each_message = pytest.mark.parametrize("message", list(examples()), ids=lambda message: type(message).__name__)


@each_message
def test_a_missing_field_is_refused(message: Message) -> None:
    document, _, arrays = parts(message)
    optional = {
        item.name
        for item in dataclasses.fields(message)
        if (item.default, item.default_factory) != (dataclasses.MISSING, dataclasses.MISSING)
    }
    assert optional == OPTIONAL.get(type(message), set())
    for name in document:
        less = {key: value for key, value in document.items() if key != name}
        assert refused(kinds_of(message), less, arrays) == (name not in optional - BESIDE_ARRAYS), name
    for name in arrays:
        less = {key: value for key, value in arrays.items() if key != name}
        assert refused(kinds_of(message), document, less) == (name not in OPTIONAL_ARRAYS), name


def test_what_is_left_out_of_a_request_takes_its_default() -> None:
    picture = np.zeros((1, 1, 4), np.uint8)
    document = {"type": "request", "job": "one", "engine": "draft", "seed": 0}
    message = receive(TO_BACKEND, document, {"inputs.picture": picture})
    assert same(message, messages.Request("one", "draft", 0, {"picture": picture}, {}, 1))


@each_message
def test_a_foreign_field_is_refused(message: Message) -> None:
    document, _, arrays = parts(message)
    assert refused(kinds_of(message), document | {"colour": 1}, arrays)
    assert refused(kinds_of(message), document, arrays | {"colour": np.zeros(3, np.uint8)})


@each_message
def test_an_unknown_type_is_refused(message: Message) -> None:
    document, _, arrays = parts(message)
    other = TO_CLIENT if kinds_of(message) is TO_BACKEND else TO_BACKEND
    if document["type"] != "status":
        assert refused(other, document, arrays)
    for name in ("", "Hello", "quit", None, 1, True, ["hello"], {"type": "hello"}):
        assert refused(kinds_of(message), document | {"type": name}, arrays)


@each_message
def test_a_field_of_another_type_is_refused(message: Message) -> None:
    document, _, arrays = parts(message)
    for name, value in document.items():
        for wrong in (None, True, 1, 1.5, 10**400, "text", [1], [[]], {"a": [1]}):
            if not may_stand_for(wrong, value, name):
                assert refused(kinds_of(message), document | {name: wrong}, arrays), (name, wrong)


def may_stand_for(wrong: object, value: object, name: str) -> bool:
    """Whether `wrong` keeps the page where `value` does."""
    if name == "eta_seconds" and wrong is None:
        return True
    if isinstance(value, bool | int | str) or value is None:
        return type(wrong) is type(value)
    if isinstance(value, float):
        return type(wrong) in (int, float) and wrong != 10**400
    return name == "recipe" and isinstance(wrong, dict)


@given(st.sampled_from(list(examples())), st.data())
def test_random_fields_are_a_message_or_a_refusal(message: Message, data: st.DataObject) -> None:
    document, _, arrays = parts(message)
    name = data.draw(st.sampled_from(list(document)))
    junk = st.recursive(
        st.none() | scalars | st.integers(-(10**400), 10**400),
        lambda children: st.lists(children, max_size=3) | st.dictionaries(texts, children, max_size=3),
        max_leaves=6,
    )
    document[name] = data.draw(junk)
    refused(kinds_of(message), document, arrays)  # raises what is neither


@pytest.mark.parametrize("seed", [-1, 2**31, 10**400, 1.0, True, "7", None])
def test_a_seed_is_a_whole_number_of_31_bits(seed: object) -> None:
    assert refused(TO_BACKEND, a_request(seed=seed), a_picture(1, 1))


@pytest.mark.parametrize("count", [0, -1, 17, 10**400, 1.0, True, "7", None])
def test_a_job_makes_1_to_16_meshes(count: object) -> None:
    assert refused(TO_BACKEND, a_request(count=count), a_picture(1, 1))
    assert not refused(TO_BACKEND, a_request(count=16), a_picture(1, 1))


@given(st.integers(0, limits.MAX_SEED), st.integers(1, limits.MAX_COUNT))
@example(limits.MAX_SEED, 2)
def test_the_seeds_of_a_job_follow_each_other_round_the_end(seed: int, count: int) -> None:
    seeds = limits.seeds_from(seed, count)
    assert seeds[0] == seed
    assert len(set(seeds)) == count
    assert all(b == (a + 1 if a < 2**31 - 1 else 0) for a, b in itertools.pairwise(seeds))


@pytest.mark.parametrize("job", ["", "j" * 65])
def test_a_jobs_name_has_1_to_64_characters(job: str) -> None:
    assert refused(TO_BACKEND, a_request(job=job), a_picture(1, 1))
    assert not refused(TO_BACKEND, a_request(job="j" * 64), a_picture(1, 1))


@pytest.mark.parametrize("setting", [None, [], {}, [1], {"a": 1}])
def test_a_setting_is_a_number_a_text_or_a_truth(setting: object) -> None:
    assert refused(TO_BACKEND, a_request(settings={"resolution": setting}), a_picture(1, 1))
    assert not refused(TO_BACKEND, a_request(settings={"a": True, "b": 1, "c": 1.5, "d": "text"}), a_picture(1, 1))


@pytest.mark.parametrize("name", ["inputs.picture", "inputs.left"])
@pytest.mark.parametrize(
    "array",
    [
        np.zeros((2, 3), np.uint8),
        np.zeros((2, 3, 3), np.uint8),
        np.zeros((2, 4, 3), np.uint8),
        np.zeros((1, 2, 3, 4), np.uint8),
        np.zeros((2, 3, 4), np.float32),
        np.zeros((2, 3, 4), np.int32),
        np.zeros((0, 3, 4), np.uint8),
        np.zeros((3, 0, 4), np.uint8),
        np.zeros((0, 0, 4), np.uint8),
    ],
    ids=lambda array: f"{array.dtype} {array.shape}",
)
def test_a_picture_is_rgba_of_at_least_a_pixel(name: str, array: frames.Array) -> None:
    assert refused(TO_BACKEND, a_request(), a_picture(2, 3) | {name: array})


@pytest.mark.parametrize(("height", "width"), [(16_385, 1), (1, 16_385), (8_193, 8_192), (16_384, 4_097)])
def test_a_picture_that_is_too_large_is_refused_before_it_is_read(height: int, width: int) -> None:
    for name in ("inputs.picture", "inputs.left"):
        with pytest.raises(WireError) as caught:
            messages.check_arrays(TO_BACKEND, a_request(), [ArraySpec(name, "uint8", (height, width, 4))])
        assert caught.value.code == "bad-message"


@pytest.mark.parametrize(("height", "width"), [(1, 1), (16_384, 4_096), (4_096, 16_384), (8_192, 8_192)])
def test_a_picture_may_be_as_large_as_the_page_says(height: int, width: int) -> None:
    specs = [ArraySpec(name, "uint8", (height, width, 4)) for name in ("inputs.picture", "inputs.left")]
    messages.check_arrays(TO_BACKEND, a_request(), specs)
    assert sum(spec.nbytes for spec in specs) <= frames.TO_BACKEND.payload


@pytest.mark.parametrize("document", [{"type": "cancel", "job": "one"}, {"type": "status"}, {"type": "shutdown"}])
def test_a_message_without_arrays_takes_none(document: Document) -> None:
    with pytest.raises(WireError):
        messages.check_arrays(TO_BACKEND, document, [ArraySpec("picture", "uint8", (1 << 20, 512))])


@pytest.mark.parametrize("value", [None, [], [[[[0, 0, 0, 0]]]], "AAAA"])
def test_an_array_does_not_travel_as_json(value: object) -> None:
    assert refused(TO_BACKEND, a_request(inputs=value), a_picture(1, 1))
    assert refused(TO_BACKEND, a_request(inputs={"picture": value}), {})


@pytest.mark.parametrize("seconds", [True, "1", None, [1.0], 10**400])
def test_seconds_are_numbers(seconds: object) -> None:
    document, _, arrays = parts(next(iter_of(messages.Result)))
    assert refused(TO_CLIENT, document | {"seconds": {"normals": seconds}}, arrays)
    assert not refused(TO_CLIENT, document | {"seconds": {"normals": 1, "finish": 0.5}}, arrays)


def test_nested_objects_are_checked_too() -> None:
    document = json.loads(b"".join(messages.encode(next(iter_of(messages.Capabilities))))[20:])
    assert not refused(TO_CLIENT, document, {})
    engine = document["engines"][0]
    setting = engine["settings"][0]
    for wrong_setting in ({**setting, "default": None}, {**setting, "colour": 1}, {"name": "x"}, None):
        assert refused(TO_CLIENT, document | {"engines": [{**engine, "settings": [wrong_setting]}]}, {})
    for wrong_engine in ({**engine, "uses_seed": 1}, {**engine, "missing": None}, {**engine, "colour": 1}, {}, 1, None):
        assert refused(TO_CLIENT, document | {"engines": [wrong_engine]}, {})


def iter_of(kind: type[Message]) -> Iterator[Message]:
    return (message for message in examples() if type(message) is kind)


def a_request(**changes: object) -> Document:
    """A `request` that keeps the page, changed."""
    return {"type": "request", "job": "one", "engine": "draft", "seed": 7, "settings": {}} | changes


def a_picture(height: int, width: int) -> dict[str, frames.Array]:
    return {"inputs.picture": np.zeros((height, width, 4), np.uint8)}


def test_a_header_knows_what_the_arrays_take() -> None:
    for message in examples():
        data = b"".join(messages.encode(message))
        header = frames.parse_header(data[:20], frames.TO_CLIENT)
        assert header == Header(header.message, len(data) - 20 - header.message)


@given(st.integers(0, limits.MAX_SEED))
def test_a_typed_seed_is_what_the_wire_carries(seed: int) -> None:
    assert limits.seed_from_text(str(seed)) == seed


@given(st.text(max_size=24).filter(lambda text: not (text.isascii() and text.isdecimal())))
@example("")
@example("abc")
@example("-1")
@example("7.0")
@example("1_000")
@example(" 7")
@example("٣")
@example(str(limits.MAX_SEED + 1))
@example("9" * 5000)
def test_what_is_no_seed_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"^A seed is a whole number from 0 to 2147483647\.$"):
        limits.seed_from_text(text)


# --- products ---------------------------------------------------------------------------------------------------------


def a_result(kind: str, **fields: object) -> Document:
    """A `result` with one product."""
    head = {"type": "result", "job": "one", "seed": 7, "index": 0, "count": 1, "recipe": {}, "seconds": {}, "notes": []}
    return {**head, "products": [{"name": "it", "kind": kind, "fields": fields}]}


def test_every_kind_of_product_is_tried_above() -> None:
    assert set(products.KINDS) == {*("cutout", "normal_map", "texture", "mesh", "views", "viewpoints", "panorama")}


@pytest.mark.parametrize("changed", [{"scores": [1.0]}, {"fits": 1}, {"azimuths": []}])
def test_viewpoints_have_all_of_their_numbers(changed: dict[str, Any]) -> None:
    document, arrays = products.documents_of({"it": viewpoints_of(2)})
    fields = document[0]["fields"]
    assert not refused(TO_CLIENT, a_result("viewpoints", **fields), arrays)
    assert refused(TO_CLIENT, a_result("viewpoints", **{**fields, **changed}), arrays)


@pytest.mark.parametrize(
    "changed",
    [
        {"mesh_vertices": None},
        {"mesh_triangles": None},
        {"mesh_corner_uv": np.zeros((2, 3, 2), np.float32)},
        {"mesh_faces": np.zeros(2, np.int32)},
        {"camera": (1.0,)},
        {"views": None},
        {"views": np.zeros((2, 3, 4, 4), np.uint8)},
        {"views": np.zeros((0, 3, 4, 4), np.uint8), "view_cameras": ()},
        {"views": np.zeros((65, 1, 1, 4), np.uint8), "view_cameras": CAMERA * 65},
        {"views": np.zeros((1, 1, 5, 4), np.uint8), "view_cameras": CAMERA},
        {"normal_views": np.zeros((2, 3, 4, 4), np.uint8)},
        {"normal_views": np.zeros((1, 1, 5, 4), np.uint8)},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_mesh_is_whole_and_a_camera_has_its_numbers(changed: dict[str, Any]) -> None:
    (request,) = (each for each in examples() if isinstance(each, messages.Request))
    document, _, arrays = parts(dataclasses.replace(request, **changed))
    assert refused(TO_BACKEND, document, arrays)


def test_a_product_of_an_unknown_kind_is_known_to_be_there() -> None:
    message = receive(TO_CLIENT, a_result("smell", strength=3), {"it.nose": np.zeros(3, np.uint8)})
    assert isinstance(message, messages.Result)
    assert message.products == {"it": products.Unknown("smell")}


def test_a_mesh_has_its_uvs_by_vertex_or_by_corner() -> None:
    mesh = {"it.vertices": np.zeros((3, 3), np.float32), "it.triangles": np.array([[0, 1, 2]], np.int32)}
    uv, corner_uv = {"it.uv": np.zeros((3, 2), np.float32)}, {"it.corner_uv": np.zeros((1, 3, 2), np.float32)}
    assert not refused(TO_CLIENT, a_result("mesh"), mesh | uv)
    assert not refused(TO_CLIENT, a_result("mesh"), mesh | corner_uv)
    assert refused(TO_CLIENT, a_result("mesh"), mesh | uv | corner_uv)
    assert refused(TO_CLIENT, a_result("mesh"), mesh)


@pytest.mark.parametrize(
    "changes", [{"lengths": [3]}, {"lengths": [4, 4]}, {"lengths": [-1, 8]}, {"fovs": [1.0]}, {"widths": []}]
)
def test_views_have_a_picture_and_a_camera_each(changes: dict[str, Any]) -> None:
    fields = {"lengths": [3, 4], "fovs": [50.0, 50.0], "widths": [1.0, 1.0]}
    arrays = {"it.png": np.zeros(7, np.uint8), "it.matrices": np.zeros((2, 4, 4), np.float32)}
    assert not refused(TO_CLIENT, a_result("views", **fields), arrays)
    assert refused(TO_CLIENT, a_result("views", **fields | changes), arrays)


@pytest.mark.parametrize("described", [None, {}, [1], [{}], [{"name": "a.b", "kind": "mesh", "fields": {}}]])
def test_products_are_a_list_of_named_ones(described: object) -> None:
    assert refused(TO_CLIENT, a_result("smell") | {"products": described}, {})


def test_two_products_of_one_name_are_refused() -> None:
    document = a_result("smell")
    document["products"] *= 2
    assert refused(TO_CLIENT, document, {})


def test_an_array_of_no_product_is_refused_before_it_is_read() -> None:
    with pytest.raises(WireError):
        messages.check_arrays(TO_CLIENT, a_result("mesh"), [ArraySpec("other.vertices", "float32", (1 << 30, 3))])
