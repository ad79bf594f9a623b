# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a long command: lines of JSON for a program, one line for a person."""

import io
import json
from typing import Any

import pytest

from backend.commands.progress import ProgressBar, amount
from backend.errors import Cancelled, UserError


class Clock:
    """A time that the test sets."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("time.monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_program_reads_what_is_done_and_how_fast(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(as_json=True) as progress:
        for second in range(11):
            clock.now = 1000.0 + second
            progress("Downloading", second * 10, 100)
        progress.finished(folder="somewhere")
    *steps, last = lines(capsys)
    assert steps[0] == {"label": "Downloading", "done": 0, "of": 100, "per_second": 0.0, "unit": "bytes"}
    assert steps[-1] == {"label": "Downloading", "done": 100, "of": 100, "per_second": 10.0, "unit": "bytes"}
    assert last == {"finished": True, "folder": "somewhere"}


def test_a_thousand_reports_a_second_are_ten_lines(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(as_json=True) as progress:
        for step in range(1001):
            clock.now = 1000.0 + step / 1000
            progress("Downloading", step, 1000)
    printed = lines(capsys)
    assert 9 <= len(printed) <= 12
    assert printed[-1]["done"] == 1000


def test_bytes_of_an_earlier_run_are_no_speed(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(as_json=True) as progress:
        progress("Downloading", 5_000_000, 9_000_000)
        clock.now += 1
        progress("Downloading", 5_000_100, 9_000_000)
    assert lines(capsys)[-1]["per_second"] == 100.0


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UserError("disk-full", "It is full.", "Make space."), "disk-full"),
        (KeyboardInterrupt(), "cancelled"),
        (Cancelled(), "cancelled"),
        (ZeroDivisionError("by zero"), "unexpected"),
    ],
)
def test_the_last_line_says_how_it_failed(error: BaseException, code: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(type(error)), ProgressBar(as_json=True):
        raise error
    (error_line,) = lines(capsys)
    assert error_line["error"] == code
    assert set(error_line) == {"error", "sentence", "advice"}


def test_a_terminal_shows_one_line_that_is_cleared(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", screen)
    with ProgressBar(as_json=False) as progress:
        for second in range(3):
            clock.now = 1000.0 + second
            progress("Downloading", second * 1_200_000_000, 2_400_000_000)
    *_, last, gone = screen.getvalue().split("\r\x1b[2K")
    assert last == "█" * 24 + " Downloading: 2.40 GB of 2.40 GB, 1.20 GB/s"
    assert gone == ""
    assert "\n" not in screen.getvalue()


def test_a_log_gets_a_line_for_each_label(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar(as_json=False) as progress:
        progress("Checking a", 1, 3, "steps")
        progress("Checking a", 3, 3, "steps")
    printed = capsys.readouterr()
    assert printed.err == "Checking a: 3 steps\n"
    assert printed.out == ""


def test_amounts_read_as_people_write_them() -> None:
    assert [amount(count) for count in (0, 999, 1_000, 2_500_000, 2_664_021_360)] == [
        "0 bytes",
        "999 bytes",
        "1 kB",
        "2.5 MB",
        "2.66 GB",
    ]
