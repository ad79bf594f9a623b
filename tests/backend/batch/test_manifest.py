# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest: whole whenever it is looked at, shared by several processes, and the only truth."""

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.batch.executor import LocalExecutor
from backend.batch.lines import Line
from backend.batch.manifest import Entry, Manifest, State, fingerprint, same_fingerprint
from backend.batch.names import is_inside
from backend.batch.planning import Wanted, plan
from backend.batch.running import Task
from backend.errors import UserError
from tests.backend.batch.pictures import REQUEST, ROOT

NAMES = st.sampled_from(["a", "b/c", "ö", "\udce4"])
FILES = st.text(max_size=5).filter(is_inside)
ENTRIES = st.builds(
    Entry,
    NAMES,
    st.just(REQUEST),
    st.sampled_from([State.WAITING, State.DONE, State.FAILED]),
    st.lists(FILES, max_size=3).map(tuple),
    seconds=st.floats(0, 1e6),
    notes=st.lists(st.text(max_size=9), max_size=2).map(tuple),
    code=st.sampled_from(["", "bad-picture"]),
    sentence=st.text(max_size=9),
)


REQUIRED = ("inputs", "seed", "count", "products")


def record(**changes: object) -> str:
    """A line of the manifest."""
    return json.dumps({"name": "a", "state": "done", "request": REQUEST} | changes)


def without_time(entries: dict[str, Entry]) -> dict[str, Entry]:
    return {name: dataclasses.replace(entry, at="") for name, entry in entries.items()}


@given(st.lists(ENTRIES, max_size=8), st.data())
def test_it_reads_as_it_was_written_up_to_whatever_byte_a_crash_leaves(
    entries: list[Entry], data: st.DataObject
) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        manifest = Manifest(out)
        states: list[dict[str, Entry]] = [{}]
        ends = [(out / "manifest.jsonl").stat().st_size]
        with manifest.locked():
            for entry in entries:
                manifest.write(entry)
                states.append(without_time(manifest.entries))
                ends.append((out / "manifest.jsonl").stat().st_size)
        whole = (out / "manifest.jsonl").read_bytes()
        expected = {entry.name: entry for entry in entries}
        assert states[-1] == expected
        length = data.draw(st.integers(ends[0], len(whole)))
        (out / "manifest.jsonl").write_bytes(whole[:length])
        manifest.worker.leave()
        reopened = Manifest(out)
        assert without_time(reopened.entries) == states[max(n for n, end in enumerate(ends) if end <= length)]
        reopened.close()
        compact = Manifest(out)
        assert without_time(compact.entries) == without_time(reopened.entries)
        assert len((out / "manifest.jsonl").read_bytes().splitlines()) == len(compact.entries) + 1
        compact.close()


def test_what_a_dead_process_was_making_waits_again(tmp_path: Path) -> None:
    code = (
        "import sys, os, signal; from pathlib import Path; from backend.batch.manifest import *\n"
        "m = Manifest(Path(sys.argv[1]))\n"
        f"with m.locked(): m.write(Entry('a', {REQUEST}, files=('a.glb',)))\n"
        "m.claim('a'); print('ready', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert child.stdout
    assert child.stdout.readline() == b"ready\n"
    with Manifest(tmp_path) as other:
        assert other.entries["a"].state is State.RUNNING
        assert other.claim("a") is None, "it is the other's"
    child.kill()
    child.communicate()
    with Manifest(tmp_path) as other:
        assert other.entries["a"].state is State.WAITING
        assert other.entries["a"].files == ("a.glb",), "they are still its own"
        claimed = other.claim("a")
        assert claimed
        assert claimed.worker == other.worker.name
        assert other.claim("a") is None


@pytest.mark.parametrize(
    "line",
    [
        *("[]", "nonsense", "[" * 10**5),
        *('{"state": "done"}', '{"name": 1, "state": "done"}', '{"name": "a", "state": "x"}', '{"name": "a"}'),
        json.dumps({"name": "a", "state": "done"}),
        *(record(request=REQUEST | change) for change in ({"inputs": {}}, {"inputs": 1}, {"seed": -1}, {"count": 1e9})),
        *(record(request={key: REQUEST[key] for key in REQUEST if key != left_out}) for left_out in REQUIRED),
        *(record(files=files) for files in ("ab", [1], ["../b"], ["/b"], ["a//b"], ["b\\c"], ["C:b"], [".batch/lock"])),
        *(record(name=name) for name in ("", "..", "../a", "/a", "a/../../b", "..\\a", "C:/a", "a\0")),
        *(record(fingerprints=value) for value in ([], {"picture": 1})),
    ],
)
def test_a_line_that_somebody_broke_is_a_sentence_and_stays(tmp_path: Path, line: str) -> None:
    Manifest(tmp_path).close()
    path = tmp_path / "manifest.jsonl"
    path.write_text(f"{path.read_text('utf-8')}{line}\n", encoding="utf-8")
    before = path.read_bytes()
    with pytest.raises(UserError) as raised:
        Manifest(tmp_path)
    assert raised.value.code == "bad-manifest"
    assert path.read_bytes() == before
    assert [*(tmp_path / ".batch" / "workers").iterdir()] == []


@pytest.mark.parametrize("first", ['{"hi3dgen": "batch", "format": 2}', '{"other": 1}'])
def test_another_programs_manifest_is_left_alone(tmp_path: Path, first: str) -> None:
    (tmp_path / "manifest.jsonl").write_text(f"{first}\n", encoding="utf-8")
    with pytest.raises(UserError, match="no manifest"):
        Manifest(tmp_path)
    assert (tmp_path / "manifest.jsonl").read_text("utf-8") == f"{first}\n"


def test_a_folder_of_another_kind_needs_no_picture_and_is_no_batch(tmp_path: Path) -> None:
    request = {key: value for key, value in REQUEST.items() if key != "inputs"}
    wanted = Wanted(Line({}, "a", "a"), request)
    with Manifest(tmp_path, "detailverse") as manifest:
        assert plan(manifest, [wanted]) == ["a"]
    with Manifest(tmp_path, "detailverse") as manifest:
        assert manifest.entries["a"].request == {**request, "inputs": {}}
        assert plan(manifest, [wanted]) == ["a"]
    with pytest.raises(UserError, match="no manifest of this version"):
        Manifest(tmp_path)


def test_a_folder_in_place_of_the_lock_or_of_the_log_is_a_sentence(tmp_path: Path) -> None:
    lock = tmp_path / ".batch" / "lock"
    lock.mkdir(parents=True)
    with pytest.raises(UserError) as raised:
        Manifest(tmp_path)
    assert raised.value.sentence == f"“{lock}” could not be locked: it is not a file."
    task = Task("a", "a", {}, REQUEST, str(tmp_path), str(tmp_path / "tile.jpg"))
    with pytest.raises(UserError, match="cannot be started: it is not a file"):
        next(LocalExecutor([sys.executable], lock)(iter([task]), print))


def test_a_folder_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UserError) as raised:
        Manifest(tmp_path / "file" / "out")
    assert raised.value.code == "bad-output"


def test_a_fingerprint_knows_the_content_and_not_the_time(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"one")
    known = fingerprint(path)
    assert same_fingerprint(path, known) == known
    os.utime(path, ns=(1, 2 * 10**18))
    renewed = same_fingerprint(path, known)
    assert renewed
    assert renewed["sha256"] == known["sha256"]
    path.write_bytes(b"two")
    assert same_fingerprint(path, known) is None
    path.unlink()
    assert same_fingerprint(path, known) is None


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    if not hasattr(os, "mkfifo"):
        pytest.skip("this system has no named pipes")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a file"):
        fingerprint(tmp_path / "pipe")
