# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture onto a mesh, as docs/wire.md describes it, over a real socket to a backend as it ships."""

from collections.abc import Iterator

import numpy as np
import pytest

from backend.arrays import Float32Array
from backend.wire import messages, products
from backend.wire.messages import Failure, Request, Result
from tests.backend.process import SERVE, Backend, Conversation
from tests.backend.texture.photographs import camera_at, photographed, thing

SIDE = 96
CAMERA = camera_at(25, 20, 2.6, 40, (0.05, 0, 0.4))
MESH = thing()
PICTURE, _ = photographed(MESH, CAMERA, (SIDE, SIDE))
SMALL = {"resolution": 96, "image_size": "1024"}


@pytest.fixture(scope="module")
def client() -> Iterator[Conversation]:
    with Backend(SERVE) as backend, backend.client() as client:
        yield client


def request(job: str, gives: tuple[str, ...] = (), camera: tuple[float, ...] = (), **settings: object) -> Request:
    values = {**SMALL, **settings}
    return Request(
        job,
        "texture",
        0,
        {"picture": PICTURE},
        values,  # pyright: ignore[reportArgumentType] - settings of the tool
        gives=gives,
        mesh_vertices=MESH.vertices,
        mesh_triangles=MESH.triangles,
        camera=camera,
    )


def viewpoints_of(result: Result) -> products.Viewpoints:
    found = result.products["viewpoints"]
    assert isinstance(found, products.Viewpoints)
    return found


def numbers_of(matrix: Float32Array, fov: float) -> tuple[float, ...]:
    return (*(float(number) for number in matrix[:3].reshape(-1)), fov, 0.0)


def test_the_tool_is_told_apart_from_the_engines(client: Conversation) -> None:
    assert {"texture", "grid"}.isdisjoint(engine.name for engine in client.capabilities.engines)
    tool, of_views = client.capabilities.tools
    assert (tool.name, of_views.name) == ("texture", "grid")
    assert {"picture", "views", "normal_views"} == {*of_views.inputs}
    assert {"picture", "mesh", "camera"} <= {*tool.inputs}
    assert tool.products == {"viewpoints": "viewpoints", "mesh": "mesh"}


def test_the_camera_is_found_and_nudged_and_the_mesh_painted(client: Conversation) -> None:
    client.send(request("find", ("viewpoints",)))
    found = client.end_of("find")
    assert isinstance(found, Result)
    assert {"foreground", "normals", "fit"} <= {*found.seconds}
    assert "paint" not in found.seconds
    viewpoints = viewpoints_of(found)
    assert len(viewpoints.scores) == len(viewpoints.matrices) >= 1
    assert 0 <= viewpoints.outlines[0] <= 1
    client.send(request("bake", camera=numbers_of(CAMERA.matrix.astype(np.float32), CAMERA.fov)))
    baked = client.end_of("bake")
    assert isinstance(baked, Result)
    assert {*baked.seconds} == {"judge", "paint"}  # what does not depend on the camera is remembered
    own = viewpoints_of(baked)
    assert own.fits
    assert own.outlines[0] > 0.7
    mesh = baked.products["mesh"]
    assert isinstance(mesh, products.Mesh)
    np.testing.assert_array_equal(mesh.triangles, MESH.triangles)
    np.testing.assert_array_equal(mesh.vertices, MESH.vertices)
    assert mesh.corner_uv is not None
    assert mesh.corner_uv.shape == (len(MESH.triangles), 3, 2)
    assert mesh.base_colour is not None
    assert mesh.base_colour[:8].tobytes() == b"\x89PNG\r\n\x1a\n"
    assert {"picture", "mesh", "camera"} == {*baked.recipe["inputs"]}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"mesh_vertices": None, "mesh_triangles": None}, "bad-input"),
        ({"mesh_triangles": MESH.triangles + 1000}, "bad-mesh"),
        ({"mesh_triangles": MESH.triangles[:0]}, "bad-mesh"),
        ({"mesh_vertices": MESH.vertices * 0}, "bad-mesh"),
        ({"mesh_vertices": np.full_like(MESH.vertices, np.nan)}, "bad-mesh"),
        ({"camera": (2.0, *numbers_of(np.eye(4, dtype=np.float32), 40.0)[1:])}, "bad-camera"),
        ({"camera": (*numbers_of(np.eye(4, dtype=np.float32), 40.0)[:12], 175.0, 0.0)}, "bad-camera"),
        ({"camera": (*numbers_of(CAMERA.matrix.astype(np.float32), 40.0)[:12], 1e-9, 0.0)}, "bad-camera"),
        ({"camera": (*numbers_of(CAMERA.matrix.astype(np.float32), 0.0)[:12], 0.0, 1e30)}, "bad-camera"),
        ({"camera": (*numbers_of(CAMERA.matrix.astype(np.float32), 40.0)[:3], 0.0, *[0.0] * 10)}, "bad-camera"),
        ({"engine": "draft", "settings": {}}, "bad-input"),
    ],
)
def test_what_cannot_be_painted_is_said(client: Conversation, changed: dict[str, object], code: str) -> None:
    values = {**vars(request("x")), **changed}
    client.send(Request(**values))
    failure = client.end_of("x")
    assert isinstance(failure, Failure)
    assert failure.code == code, failure.sentence


def test_a_camera_within_the_mesh_is_refused(client: Conversation) -> None:
    within = CAMERA.matrix.astype(np.float32)
    within[:3, 3] = (0, 0, 0.1)
    client.send(request("x", camera=numbers_of(within, 40.0)))
    failure = client.end_of("x")
    assert isinstance(failure, Failure)
    assert failure.code == "camera-in-mesh"


def test_a_job_can_be_cancelled_while_the_camera_is_looked_for(client: Conversation) -> None:
    client.send(request("x", azimuth=1.0))
    while client.next(messages.Progress, "x").stage != "fit":
        pass
    client.send(messages.Cancel("x"))
    failure = client.end_of("x")
    assert isinstance(failure, Failure)
    assert failure.code == "cancelled"
