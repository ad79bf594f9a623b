# SPDX-License-Identifier: GPL-3.0-or-later
"""Views as a folder of pictures with `cameras.json`."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backend.errors import UserError
from backend.files.pictures import write_picture
from backend.files.views import CAMERAS, read_views, write_views
from backend.flow.products import Camera, Views
from backend.texture.camera import orbit

pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")
ANGLES = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def views(*angles: tuple[float, float]) -> Views:
    pictures = np.random.default_rng(0).integers(0, 256, (len(angles), 4, 6, 4), np.uint8)
    return Views(pictures, tuple(orbit(*each, 1.5, 30.0) for each in angles))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ANGLES, min_size=1, max_size=4))
def test_what_is_written_comes_back_to_the_last_digit(tmp_path: Path, angles: list[tuple[float, float]]) -> None:
    given = views(*angles)
    write_views(tmp_path, given)
    found = read_views(tmp_path)
    assert np.array_equal(found.pictures, given.pictures)
    for one, other in zip(found.cameras, given.cameras, strict=True):
        assert np.array_equal(one.matrix, other.matrix)
        assert (one.fov, one.width) == (other.fov, other.width)


def test_the_file_says_where_each_camera_stands_and_how_large_its_picture_is(tmp_path: Path) -> None:
    given = views((0, 0), (90, -10))
    write_views(tmp_path, Views(given.pictures, (given.cameras[0], Camera(given.cameras[1].matrix, 0.0, 1.2))))
    document = json.loads((tmp_path / CAMERAS).read_text(encoding="utf-8"))
    assert document["version"] == 1
    first, second = document["cameras"]
    assert (first["file"], first["name"], first["size"]) == ("000.png", "azimuth 0, elevation 0", [6, 4])
    assert (second["azimuth"], second["elevation"], second["fov"], second["width"]) == (90, -10, 0, 1.2)
    assert np.shape(second["matrix"]) == (4, 4)


IDENTITY = np.eye(4).tolist()
FITTING = {"file": "000.png", "matrix": IDENTITY, "fov": 30}


@pytest.mark.parametrize(
    "document",
    [
        "{",
        [],
        {"cameras": []},
        {"cameras": [3]},
        {"cameras": [{"file": "000.png", "matrix": [1, 2], "fov": 30}]},
        {"cameras": [{**FITTING, "file": "../000.png"}]},
        {"cameras": [{**FITTING, "matrix": (2 * np.eye(4)).tolist()}]},
        {"cameras": [{"file": "000.png", "matrix": IDENTITY}]},
        {"cameras": [FITTING, {**FITTING, "file": "1.png"}]},
        pytest.param("[" * 99_999, id="endless"),
        {"version": 2, "cameras": [FITTING]},
        {"cameras": [{**FITTING, "fov": 10**400}]},
        {"cameras": [{**FITTING, "fov": 1e-9}]},
        {"cameras": [{**FITTING, "fov": 0, "width": 1e300}]},
        {"cameras": [{**FITTING, "width": float("nan")}]},
        {"cameras": [{**FITTING, "matrix": [[1, 0, 0, 1e30], *IDENTITY[1:]]}]},
        {"cameras": [{**FITTING, "file": "long.png"}]},
    ],
)
def test_what_are_no_views_is_said(document: Any, tmp_path: Path) -> None:
    write_picture(tmp_path / "000.png", np.zeros((4, 6, 4), np.uint8))
    write_picture(tmp_path / "1.png", np.zeros((6, 6, 4), np.uint8))
    write_picture(tmp_path / "long.png", np.zeros((1, 5, 4), np.uint8))
    text = document if isinstance(document, str) else json.dumps(document)
    (tmp_path / CAMERAS).write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        read_views(tmp_path)
    assert caught.value.code == "bad-views"


def test_views_are_refused_by_their_size_in_all_before_they_are_read(tmp_path: Path) -> None:
    write_picture(tmp_path / "000.png", np.zeros((1100, 1100, 4), np.uint8))
    missing = [{**FITTING, "file": "none.png"}] * 63
    (tmp_path / CAMERAS).write_text(json.dumps({"cameras": [FITTING, *missing]}), encoding="utf-8")
    with pytest.raises(UserError, match="64 of 1100 x 1100 pixels"):
        read_views(tmp_path)


def test_a_file_that_an_editor_began_with_a_mark_is_read(tmp_path: Path) -> None:
    write_views(tmp_path, views((0, 0)))
    text = (tmp_path / CAMERAS).read_text(encoding="utf-8")
    (tmp_path / CAMERAS).write_text(text, encoding="utf-8-sig")
    assert len(read_views(tmp_path).cameras) == 1


def test_a_folder_without_cameras_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be opened") as caught:
        read_views(tmp_path)
    assert caught.value.code == "bad-views"
