# SPDX-License-Identifier: GPL-3.0-or-later
"""Results take their places: nothing of anybody else is replaced or removed, and nothing is left that is nobody's."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from backend.batch.manifest import Entry, Manifest, State
from backend.batch.results import publish
from backend.errors import UserError
from tests.backend.batch.pictures import REQUEST, ROOT


def test_no_link_of_a_folder_from_elsewhere_leads_to_files_outside_it(tmp_path: Path) -> None:
    out, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "mine").write_bytes(b"")
    (elsewhere / "a.jpg").write_bytes(b"")
    Manifest(out).close()
    (out / ".batch" / "workers").rmdir()
    for place in ("workers", "tiles"):
        (out / ".batch" / place).symlink_to(elsewhere)
        with pytest.raises(UserError, match="is a link"):
            Manifest(out)
        (out / ".batch" / place).unlink()
    (elsewhere / "letter").write_bytes(b"one line\nhalf a line")
    (out / "manifest.jsonl").replace(tmp_path / "manifest.jsonl")
    (out / "manifest.jsonl").symlink_to(elsewhere / "letter")
    with pytest.raises(UserError, match="is a link"):
        Manifest(out)
    assert (elsewhere / "letter").read_bytes() == b"one line\nhalf a line"
    (tmp_path / "manifest.jsonl").replace(out / "manifest.jsonl")
    (out / "link").symlink_to(elsewhere)
    with Manifest(out) as manifest:
        with manifest.locked():
            manifest.write(Entry("a", REQUEST, files=("link/a.jpg",)))
        (tmp_path / "made").mkdir()
        (tmp_path / "made" / "a.glb").write_bytes(b"")
        with manifest.locked():
            publish(manifest, manifest.entries["a"], manifest.place.stage(tmp_path / "made", manifest.batch))
    assert {path.name for path in elsewhere.rglob("*")} == {"deep", "mine", "a.jpg", "letter"}
    assert (out / "a.glb").is_file()


PUBLISH = """
import os, signal, sys
from pathlib import Path
from backend.batch.manifest import Entry, Manifest
from backend.batch.running import Ended, Task, run

left = int(sys.argv[2])
replace, unlink = Path.replace, Path.unlink

def until_it_is_killed(change):
    def changed(self, *arguments, **options):
        global left
        if self.suffix in (".glb", ".png"):
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1
        return change(self, *arguments, **options)
    return changed

def execute(tasks, _):
    for task in tasks:
        for name in sys.argv[4:]:
            Path(task.folder, name).write_text(sys.argv[3])
        yield Ended(task.name)

class Silent:
    begun = ended = progressed = lambda *_: None

request = {"inputs": {"picture": "../a.png"}, "seed": 0, "count": 1, "products": ["mesh"], "made": sys.argv[3]}
with Manifest(Path(sys.argv[1])) as manifest:
    before = manifest.entries.get("a")
    with manifest.locked():
        manifest.write(Entry("a", request, files=before.files if before else ()))
    Path.replace, Path.unlink = until_it_is_killed(replace), until_it_is_killed(unlink)
    run(manifest, ["a"], execute, Silent())
"""


@pytest.mark.skipif(os.name != "posix", reason="a process kills itself by a signal")
@pytest.mark.parametrize("moment", range(5))
def test_a_process_that_is_killed_between_two_files_leaves_nothing_that_is_nobodys(tmp_path: Path, moment: int) -> None:
    def publish(kill_at: int, content: str, *names: str) -> int:
        command = [sys.executable, "-c", PUBLISH, str(tmp_path / "out"), str(kill_at), content, *names]
        return subprocess.run(command, cwd=ROOT, check=False).returncode

    assert publish(100, "old", "a.glb", "a_old.glb", "a_normal_map.png") == 0
    killed = publish(moment, "new", "a.glb", "a_normal_map.png", "a_new.png")
    assert killed == (-signal.SIGKILL if moment < 4 else 0)
    with Manifest(tmp_path / "out") as manifest:
        entry = manifest.entries["a"]
        assert entry.state is (State.WAITING if moment < 4 else State.DONE)
        found = {path.name for path in (tmp_path / "out").iterdir()} - {".batch", "manifest.jsonl"}
        assert found <= {*entry.files}, "whatever lies there is the picture's, so that it may be replaced"
    assert publish(100, "new", "a.glb", "a_normal_map.png", "a_new.png") == 0
    made = {path.name: path.read_text("utf-8") for path in (tmp_path / "out").glob("a*")}
    assert made == dict.fromkeys(["a.glb", "a_normal_map.png", "a_new.png"], "new")
