# SPDX-License-Identifier: GPL-3.0-or-later
"""An external engine is an engine like any other: over the wire, on the command line, with the stages of the house."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

from backend.__main__ import main
from backend.commands import doctor
from backend.commands.external import ball
from backend.engines import with_external
from backend.files.views import read_views
from backend.flow.pipeline import Pipeline
from backend.flow.request import Request as Flowing
from backend.raster import png_reader
from backend.wire import messages, products
from backend.wire.messages import Cancel, Failure, Progress, Request
from tests.backend.engines.external.describing import describe
from tests.backend.process import SERVE, Backend, Conversation, mesh_of
from tests.backend.vase import Notes

SMALL = {"resolution": 64, "colours": "front"}


@pytest.fixture(scope="module")
def user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's folder with a box, a view of one, and a file that describes nothing."""
    folder = tmp_path_factory.mktemp("user")
    describe(folder)
    describe(folder, "around", gives="views", settings=[])
    describe(folder, "wrong", command=None)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HI3DGEN_USER_FOLDER", str(folder))
        yield folder


@pytest.fixture(scope="module")
def client(user: Path) -> Iterator[Conversation]:
    with Backend(SERVE) as backend, backend.client() as client:
        yield client


def asked(job: str, engine: str = "box", **settings: Any) -> Request:
    usual = SMALL if engine == "box" else {"resolution": 64}
    return Request(job, engine, 9, {"picture": ball(64)}, {**usual, **settings})


def test_clients_learn_what_it_is_and_why_one_cannot_run(client: Conversation) -> None:
    told = {engine.name: engine for engine in client.capabilities.engines}
    assert [*told][-3:] == ["around", "box", "wrong"]
    box, wrong = told["box"], told["wrong"]
    assert (box.label, box.missing, box.external) == ("Box", "", True)
    assert (box.terms, box.terms_url) == (
        "Not for use on the moon. Licence: GPL-3.0-or-later.",
        "https://example.org/licence",
    )
    assert [setting.name for setting in box.settings][:5] == ["height", "painted", "title", "way", "own_colours"]
    assert {setting.name for setting in box.settings} >= {"faces", "colours", "resolution"}
    assert (box.inputs, box.products) == (
        ("picture", "own_cutout", "strokes", "own_normal_map"),
        {"normal_map": "normal_map", "mesh": "mesh"},
    )
    assert wrong.missing.startswith("“wrong.json” describes no engine: command is no list of 1 to 32.")
    assert told["around"].products == {"views": "views"}
    assert not told["draft"].external


def test_its_mesh_stands_on_the_floor_with_its_own_image_and_the_pictures_place(client: Conversation) -> None:
    client.send(asked("one", height=2.0))
    heard = client.until_end_of("one")
    assert "Running the program" in [message.label for message in heard if isinstance(message, Progress)]
    assert isinstance(heard[-1], messages.Result), heard[-1]
    mesh = mesh_of(heard[-1])
    np.testing.assert_allclose(np.ptp(mesh.vertices, axis=0), (0.5, 0.5, 1.0), atol=1e-6)
    assert mesh.vertices[:, 2].min() == pytest.approx(0, abs=1e-6)
    assert mesh.corner_uv is not None
    assert mesh.base_colour is not None
    image = png_reader.decode(mesh.base_colour.tobytes())
    assert image[0, 7].tolist() == [20, 60, 9, 255], "the program's own"
    assert mesh.picture_uv is not None
    shown = np.ptp(mesh.picture_uv, axis=0)
    assert 0.3 < shown.min() <= shown.max() < 1.5, "where the picture shows it"
    recipe = heard[-1].recipe
    assert (recipe["engine"], recipe["settings"]["height"]) == ("box", 2.0)
    assert [*recipe["versions"]] == ["external"]


@pytest.mark.slow
def test_a_mesh_whose_image_is_not_wanted_goes_on_as_those_of_the_house(client: Conversation) -> None:
    client.send(asked("plain", own_colours=False))
    end = client.end_of("plain")
    assert isinstance(end, messages.Result), end
    mesh = mesh_of(end)
    assert mesh.base_colour is None
    assert mesh.uv is not None
    assert 0 < mesh.uv.min() < mesh.uv.max() < 1, "it shows the picture"


def test_views_come_with_their_cameras(client: Conversation) -> None:
    client.send(asked("views", "around"))
    end = client.end_of("views")
    assert isinstance(end, messages.Result), end
    views = end.products["views"]
    assert isinstance(views, products.Views)
    assert views.fovs == (40.0,)
    assert png_reader.decode(views.pictures[0]).shape == (8, 8, 4)


@pytest.mark.parametrize("gives", [pytest.param("mesh", marks=pytest.mark.slow), "views"])
def test_pictures_of_other_sides_reach_a_program_that_wants_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gives: str
) -> None:
    monkeypatch.setenv("HI3DGEN_USER_FOLDER", str(tmp_path))
    tell = tmp_path / "told.json"
    describe(tmp_path, gives=gives, wants=["sides"], environment={"TELL": str(tell)})
    engines = with_external({})
    assert engines["box"].inputs[-3:] == ("back", "left", "right")
    turned = np.ascontiguousarray(np.rot90(ball(48)))
    settings = SMALL | {"painted": False} if gives == "mesh" else {"resolution": 64}

    def made(**inputs: Any) -> dict[str, Any]:
        request = Flowing({"picture": ball(64), **inputs}, "box", 9, settings=settings)
        next(Pipeline(engines).run(request, Notes()))
        return json.loads(tell.read_text())["request"]["sides"]

    assert [*made(back=turned)] == ["back"]
    seen = png_reader.decode((tmp_path / "seen_back.png").read_bytes())
    assert seen.shape == (64, 64, 4)
    assert (seen[32, 32, 3], seen[0, 0, 3]) == (255, 0), "it is cut out"
    assert made() == {}


def test_a_missing_one_is_refused_and_a_failure_keeps_the_backend(client: Conversation) -> None:
    client.send(Request("missing", "wrong", 9, {"picture": ball(64)}))
    end = client.end_of("missing")
    assert isinstance(end, Failure)
    assert end.code == "engine-missing"
    client.send(asked("dies", way="die"))
    end = client.end_of("dies")
    assert isinstance(end, Failure)
    assert end.code == "external-failed"


@pytest.mark.skipif(os.name != "posix", reason="processes are ended otherwise on Windows")
def test_a_client_cancels_it(client: Conversation) -> None:
    client.send(asked("hangs", way="hang"))
    while client.next(Progress, "hangs").label != "Running the program":
        pass
    client.send(Cancel("hangs"))
    end = client.end_of("hangs")
    assert isinstance(end, Failure)
    assert end.code == "cancelled"
    programs = [each for each in psutil.process_iter(["cmdline"]) if "external_engine.py" in str(each.info["cmdline"])]
    assert not [each for each in programs if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.slow
def test_the_command_line_makes_a_mesh_with_it(user: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trimesh = pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    image.fromarray(ball(64)).save(tmp_path / "ball.png")
    settings = [part for name, value in {**SMALL, "height": 0.5}.items() for part in ("--set", f"{name}={value}")]
    command = ["generate", str(tmp_path / "ball.png"), "--engine", "box", "-o", str(tmp_path / "box.glb"), *settings]
    assert main([*command, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["triangles"] == 12
    (mesh,) = trimesh.load(tmp_path / "box.glb").geometry.values()
    assert mesh.visual.material.baseColorTexture.getpixel((0, 0)) == (200, 30, 20)


def test_the_command_line_makes_views_with_one(user: Path, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="Pillow is not installed here: the extra files has it")
    image.fromarray(ball(64)).save(tmp_path / "ball.png")
    command = ["generate", str(tmp_path / "ball.png"), "--engine", "around", "-o", str(tmp_path / "views")]
    assert main([*command, "--set", "resolution=64"]) == 0
    assert read_views(tmp_path / "views").cameras[0].fov == 40.0


def test_the_command_external_lists_and_tries_them(user: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["external", "list"]) == 0
    listed = capsys.readouterr().out
    assert f"described in {user / 'external'}" in listed
    assert "box: Box, ready\n  Not for use on the moon. Licence: GPL-3.0-or-later.\n" in listed
    assert "wrong: “wrong.json” describes no engine: command is no list" in listed
    assert main(["external", "check", "around", "--set", "resolution=64"]) == 0
    printed = capsys.readouterr()
    assert "views: 1 pictures" in printed.out
    assert "Running the program" in printed.err
    assert main(["external", "check", "nobody"]) == 1
    assert "No file describes an engine “nobody”." in capsys.readouterr().err


def test_the_doctor_tells_their_state(user: Path) -> None:
    engines = with_external({})
    able, line = doctor._described(engines["box"])  # pyright: ignore[reportPrivateUsage]
    assert able
    assert line.startswith("engine Box: ready, by its own program, ")
    able, line = doctor._described(engines["wrong"])  # pyright: ignore[reportPrivateUsage]
    assert not able
    assert line.startswith("engine wrong: “wrong.json” describes no engine: command is no list")
    assert line.endswith("It is a program of your own: docs/external_engines.md says how to set it up.")
