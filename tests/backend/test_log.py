# SPDX-License-Identifier: GPL-3.0-or-later
"""The log: one record is one line, its file is bounded and its owner's alone, strangers cannot fill it."""

import logging
import os
import re
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.log import MAX_LINE, OneLine
from backend.safe_files import MAX_LOG, older_log
from backend.wire import messages
from backend.wire.client import Client
from tests.backend.process import SERVE, TOKEN, Backend, patient

ROOT = Path(__file__).parents[2]
PATTERN = "%(levelname)s %(name)s: %(message)s"
FORGED = "x\n2026-01-01 00:00:00,000 INFO backend.server: a shutdown that nobody asked for"


def logged(text: str, error: BaseException | None = None) -> str:
    info = (type(error), error, error.__traceback__) if error else None
    return OneLine(PATTERN).format(logging.LogRecord("it", logging.INFO, "", 0, "client: %s", (text,), info))


@given(st.text())
def test_a_record_is_one_printable_line_whatever_text_it_holds(text: str) -> None:
    line = logged(text)
    assert line.isprintable()
    assert line.startswith("INFO it: client: ")
    assert line.endswith(text) or not text.isprintable()


@pytest.mark.parametrize(
    "text", ["a\nb", "a\r\nb", "a\x1b[2Jb", "a\x85b", "a\u2028b", "a\u202eb", "a\x00b", "a\ud800b"]
)
def test_what_would_begin_a_line_or_steer_a_terminal_is_escaped(text: str) -> None:
    assert logged(text) == f"INFO it: client: {text.encode('unicode_escape').decode()}"


def test_a_record_is_cut_to_a_line_that_can_be_read() -> None:
    assert len(logged("x" * 10**6)) == MAX_LINE + 1
    assert logged("x" * 10**6).endswith("x…")


@given(st.text())
def test_a_traceback_is_indented_whatever_its_exception_says(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        raise ValueError(text)
    first, *others = logged("x", caught.value).split("\n")
    assert first == "INFO it: client: x"
    assert others[0] == "    Traceback (most recent call last):"
    assert all(line.startswith("    ") and line.isprintable() for line in others)


def test_a_traceback_of_many_lines_is_cut_to_its_last_ones() -> None:
    lines = logged("x", ValueError("\n".join(f"line {number}" for number in range(10_000)))).split("\n")
    assert len(lines) == 201
    assert lines[-1] == "    line 9999"


def test_a_name_that_looks_like_a_record_forges_none() -> None:
    with Backend() as backend:
        client = Client(backend.port, TOKEN, FORGED)
        client.inbox.get()
        client.send(patient(FORGED.replace("x", "")[:64]))
        while not isinstance(client.inbox.get(), messages.Result):
            pass
        client.close()
        lines = backend.log().splitlines()
    assert not any(line.startswith("2026-01-01 00:00:00,000") for line in lines)
    assert sum("client: x\\n2026-01-01" in line for line in lines) == 1
    assert sum("job \\n2026-01-01" in line for line in lines) == 1


def test_strangers_are_counted_and_not_logged_one_by_one() -> None:
    with Backend() as backend:
        for _ in range(300):
            with socket.create_connection(("127.0.0.1", backend.port)) as stranger:
                stranger.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                stranger.recv(1)
        with backend.client() as last:
            last.send(messages.Shutdown())
            backend.process.wait()
        log = backend.log()
    counts = [int(count) for count in re.findall(r"turned away: (\d+) connections", log)]
    assert sum(counts) == 300
    assert len(counts) < 5, "one line now and then; a slow machine takes more than one such time"
    assert len(log.splitlines()) < 12


def test_a_log_file_is_bounded_and_holds_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "backend-1.log"
    path.write_bytes(b"what came before\n")
    path.chmod(0o644)
    with Backend(SERVE, log=path) as backend:
        for number in range(1_200):
            client = Client(backend.port, TOKEN, f"{number} " + "x" * 3_900)
            client.inbox.get()
            client.close()
        with backend.client() as last:
            last.send(messages.Shutdown())
            backend.process.wait()
        assert backend.log() == "", "all of it went to the file"
    assert sorted(tmp_path.iterdir()) == [older_log(path), path]
    for file in (path, older_log(path)):
        assert file.stat().st_size <= MAX_LOG + 2 * MAX_LINE
        if os.name == "posix":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = older_log(path).read_text(encoding="utf-8") + path.read_text(encoding="utf-8")
    assert "what came before" not in text  # the file began anew twice
    assert [int(line.partition("client: ")[2].split()[0]) for line in text.splitlines() if "client: 1" in line][
        -1
    ] == 1199
    assert any(line.endswith("a client asked for the end") for line in text.splitlines()[-2:])


def test_a_log_file_that_cannot_be_opened_stays_on_standard_error(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "nowhere" / "a.log"):
        with Backend(SERVE, log=path) as backend, backend.client():
            assert "the log stays on standard error" in backend.log()


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_a_link_in_the_place_of_the_log_is_replaced(tmp_path: Path) -> None:
    path, target = tmp_path / "a.log", tmp_path / "precious"
    target.write_bytes(b"precious")
    path.symlink_to(target)
    with Backend(SERVE, log=path) as backend, backend.client():
        assert "listens on port" in path.read_text()
    assert target.read_bytes() == b"precious"


LOGS = """
import logging, os, sys
from pathlib import Path
from backend import log

log.start(Path(sys.argv[1]), private=False)
for line in sys.stdin:
    os.write(2, b"x" * int(line.split()[0]) + b"\\n")
    logging.info("of %s", line.split()[1])
    print(flush=True)
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows renames no open file")
def test_two_processes_that_share_a_log_lose_no_newest_line(tmp_path: Path) -> None:
    path = tmp_path / "batch.log"
    command = [sys.executable, "-c", LOGS, str(path)]
    both = [
        subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)
    ]
    for process, line in ((both[0], f"{2 * MAX_LOG} first"), (both[1], "0 second")):
        assert process.stdin
        assert process.stdout
        process.stdin.write(f"{line}\n")
        process.stdin.flush()
        process.stdout.readline()
    for process in both:
        process.communicate()
    assert older_log(path).stat().st_size > MAX_LOG
    newest = path.read_text("utf-8").split()
    assert "first" in newest
    assert "second" in newest
