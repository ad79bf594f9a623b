# SPDX-License-Identifier: GPL-3.0-or-later
"""Results below a URL: whole or not there, never over what is somebody else's; the manifest knows where they are."""

import json
import re
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from backend.batch.manifest import Manifest, State
from backend.batch.planning import plan
from backend.batch.running import Ended, Progressed, Task, run
from backend.batch.urls import UrlPlace
from backend.errors import UserError
from tests.backend.batch.pictures import FRAGILE, SCRIPT, batch, paint, told
from tests.backend.batch.test_sharing import Silent, wanted

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["memory", "file"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"{request.param}://{tmp_path}/bucket"


def write(tasks: Iterator[Task], _: Progressed) -> Generator[Ended, None, None]:
    for task in tasks:
        Path(task.folder, "a.glb").write_text(str(task.request["seed"]))
        Path(task.folder, ".half").touch()
        yield Ended(task.name)


def made(tmp_path: Path, url: str, seed: int, *, overwrite: bool = False) -> Manifest:
    (tmp_path / "a.png").touch()
    with Manifest(tmp_path / "out", place=UrlPlace(url) if url else None) as manifest:
        run(manifest, plan(manifest, wanted(tmp_path, seed), overwrite=overwrite), write, Silent())
    return manifest


def found(url: str) -> dict[str, bytes]:
    files, root = fsspec.core.url_to_fs(url)
    return {path.removeprefix(f"{root}/"): files.cat_file(path) for path in files.find(root)}


def half(tmp_path: Path) -> Path:
    """A folder with a result that is whole, and not in its place."""
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "b.glb").write_text("whole")
    return tmp_path / "half"


def test_results_are_there_whole_and_nothing_else(tmp_path: Path, url: str) -> None:
    manifest = made(tmp_path, url, 1)
    assert manifest.entries["a"].state is State.DONE
    assert found(url) == {"a.glb": b"1"}, "what was staged is gone"
    assert not (tmp_path / "out" / "a.glb").exists()
    with pytest.raises(UserError, match=f"“{url}/a.glb” is there already, and would be written over"):
        made(tmp_path, url, 2)
    made(tmp_path, url, 2, overwrite=True)
    assert found(url) == {"a.glb": b"2"}


def test_what_was_not_made_of_the_picture_stays(tmp_path: Path, url: str) -> None:
    files, root = fsspec.core.url_to_fs(url)
    files.makedirs(root, exist_ok=True)
    files.pipe_file(f"{root}/a.glb", b"mine")
    manifest = made(tmp_path, url, 1)
    assert manifest.entries["a"].code == "bad-output"
    assert found(url) == {"a.glb": b"mine"}


def test_a_folder_knows_where_its_results_lie(tmp_path: Path, url: str) -> None:
    made(tmp_path, url, 1)
    for other in ("", "memory://elsewhere"):
        with pytest.raises(UserError, match="go to") as raised:
            made(tmp_path, other, 1)
        assert url in raised.value.sentence


def test_what_a_killed_run_has_staged_is_swept(tmp_path: Path, url: str) -> None:
    batch = made(tmp_path, url, 1).batch
    UrlPlace(url).stage(half(tmp_path), batch)
    assert len(found(url)) == 2
    opened(tmp_path, url)
    assert [*found(url)] == ["a.glb"]


def test_what_another_batch_has_staged_at_the_same_url_stays(tmp_path: Path, url: str) -> None:
    with Manifest(tmp_path / "one", place=UrlPlace(url)) as one:
        staged = one.place.stage(half(tmp_path), one.batch)
        Manifest(tmp_path / "other", place=UrlPlace(url)).close()
        one.place.take(staged["b.glb"], "b.glb")
    assert found(url) == {"b.glb": b"whole"}


def opened(tmp_path: Path, url: str) -> str:
    """The name by which a batch stages, as the next command finds it."""
    with Manifest(tmp_path / "out", place=UrlPlace(url)) as manifest:
        return manifest.batch


def test_a_batch_of_an_earlier_version_gets_a_name_to_stage_by_and_keeps_it(tmp_path: Path, url: str) -> None:
    made(tmp_path, url, 1)
    path = tmp_path / "out" / "manifest.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines()
    for wrong in ({}, {"staged": ".."}):  # what it names is removed: nothing outside of the place
        header = {key: value for key, value in json.loads(first).items() if key != "staged"} | wrong
        path.write_text("\n".join([json.dumps(header), *others, ""]), encoding="utf-8")
        given = opened(tmp_path, url)
        assert re.fullmatch("[0-9a-f]{16}", given)
        assert opened(tmp_path, url) == given
        assert found(url) == {"a.glb": b"1"}


def test_the_command_writes_to_a_url_and_finds_its_results_there(tmp_path: Path) -> None:
    pytest.importorskip("trimesh", reason="trimesh writes meshes: pip install trimesh")
    picture = paint(tmp_path / "a.png", (0, 0, 0))
    arguments = (picture, "-o", tmp_path / "out", *FRAGILE, "--results", f"file://{tmp_path}/bucket", "--json")
    done = batch(*arguments, script=SCRIPT)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "bucket").glob("*.glb")] == ["a.glb"]
    assert told(batch(*arguments, script=SCRIPT))[-1]["unchanged"] == 1


@pytest.mark.parametrize(("wrong", "code"), [("nope://a/b", "bad-output"), ("s3://bucket/x", "library-missing")])
def test_a_url_that_cannot_be_is_a_sentence(wrong: str, code: str) -> None:
    if code == "library-missing" and find_spec("s3fs"):
        pytest.skip("s3fs is installed")
    with pytest.raises(UserError) as raised:
        UrlPlace(wrong)
    assert raised.value.code == code
