# SPDX-License-Identifier: GPL-3.0-or-later
"""The turntable draws a row for each picture, and what it cannot do is a sentence before the work."""

import sys
from pathlib import Path

import numpy as np
import pytest
import turntable

Image = pytest.importorskip("PIL.Image", reason="reads pictures: pip install pillow")

OWL = Path(__file__).parents[2] / "examples" / "owl.png"


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["turntable.py", *map(str, arguments)])
    turntable.main()


def test_a_picture_with_a_normal_map_has_two_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("RGB", (64, 64), (128, 128, 255)).save(tmp_path / "owl.png")
    run(monkeypatch, OWL, "-o", tmp_path / "sheet.png", "--size", 24, "--normal-maps", tmp_path)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape == (2 * 24, 6 * 24, 3)
    assert (sheet[:24, :24] == sheet[24:, :24]).all(), "both rows begin with the cut-out"
    assert (sheet[:24, 24:] != sheet[24:, 24:]).any()


def test_meshes_are_drawn_in_their_colours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch, OWL, "-o", tmp_path / "sheet.png", "--size", 64, "--colours")
    views = np.asarray(Image.open(tmp_path / "sheet.png")).reshape(64, 6, 64, 3).swapaxes(0, 1).astype(int)
    front, back = (view[(view != 237).any(axis=2)].mean(axis=0) for view in (views[1], views[5]))
    assert np.ptp(front) > 10, "not grey"
    assert back[0] < back[1] < back[2], "the owl's blue goes on behind"


@pytest.mark.parametrize(
    ("picture", "sheet", "words"),
    [(OWL, "sheet.txt", "sheet.txt"), (OWL, "none/sheet.png", "no folder"), ("text.png", "sheet.png", "text.png")],
)
def test_what_it_cannot_do_is_said_in_a_sentence(
    picture: Path, sheet: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(SystemExit, match=words):
        run(monkeypatch, tmp_path / picture, "-o", tmp_path / sheet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["text.png"]
