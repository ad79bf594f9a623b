# SPDX-License-Identifier: GPL-3.0-or-later
"""A training's curve survives a torn line, and its drawing shows every series inside the frame."""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from backend.training.core.curve import Curve, Quantity, draw, read_curve

ANGLE = Quantity("angle", "°", "held out, {} pixels")
SVG = "{http://www.w3.org/2000/svg}"


def test_a_torn_line_and_later_ones_go(tmp_path: Path) -> None:
    path = tmp_path / "curve.jsonl"
    path.write_text("".join(json.dumps({"step": step}) + "\n" for step in (5, 10, 15)) + '{"step": 2')
    curve = Curve(path, 10)
    assert [line["step"] for line in read_curve(path)] == [5, 10]
    curve.add({"step": 15})
    assert [line["step"] for line in read_curve(path)] == [5, 10, 15]


@given(
    angles=st.lists(st.floats(0.1, 90), min_size=1, max_size=60),
    measured=st.lists(st.floats(0.1, 90), max_size=8),
    batch=st.integers(1, 10_000),
)
def test_every_series_lies_inside_the_drawing(angles: list[float], measured: list[float], batch: int) -> None:
    lines: list[dict[str, float]] = [
        {"pictures": batch * (index + 1), "angle": angle} for index, angle in enumerate(angles)
    ]
    for line, angle in zip(lines, measured, strict=False):
        line["held_out_64"] = angle
    drawing = ET.fromstring(draw(lines, ANGLE))  # noqa: S314 - our own
    curves = [line for line in drawing.iter(f"{SVG}polyline") if line.get("stroke-width") == "2"]
    assert len(curves) == (2 if measured else 1)
    for curve, count in zip(curves, (len(angles), min(len(measured), len(angles))), strict=False):
        points = [tuple(map(float, point.split(","))) for point in curve.get("points", "").split()]
        assert len(points) == count
        assert all(50 <= x <= 700 and 36 <= y <= 356 for x, y in points)
    words = [text.text for text in drawing.iter(f"{SVG}text")]
    assert "learned from" in words
    assert ("held out, 64 pixels" in words) == bool(measured)


def test_a_training_that_measured_nothing_is_an_empty_drawing() -> None:
    assert not list(ET.fromstring(draw([], ANGLE)))  # noqa: S314 - our own
