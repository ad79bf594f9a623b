# SPDX-License-Identifier: GPL-3.0-or-later
"""Results below a URL: whole or not there, never over what is somebody else's; the manifest knows where they are."""

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
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "b.glb").touch()
    UrlPlace(url).stage(tmp_path / "half")
    assert len(found(url)) == 1
    made(tmp_path, url, 1)
    assert [*found(url)] == ["a.glb"]


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
