# SPDX-License-Identifier: GPL-3.0-or-later
"""Which weights are here: copied by hand, with a record, damaged, in a wrong folder."""

import json
import os
import re
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.__main__ import main
from backend.engines import ENGINES
from backend.errors import UserError
from backend.weights import record, store, verification
from backend.weights.catalogue import BRANCH, CONDITIONER, EVERY, GEOMETRY, GUIDED, NORMALS, PACKAGES
from backend.weights.checkup import check
from tests.backend.weights.conftest import content_of, tensors

MODEL = "model.safetensors"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The conditioner's folder, copied by hand into an empty folder of weights."""
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    return copy(tmp_path / CONDITIONER.name)


def copy(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, content in content_of(CONDITIONER).items():
        (folder / name).write_bytes(content)
    return folder


def unseen(_label: str, _done: int, _of: int) -> None:
    """Show no progress."""


def test_the_catalogue_names_what_the_loaders_open() -> None:
    assert len({package.name for package in EVERY}) == len(EVERY)
    assert len(GUIDED.files) == 10
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in NORMALS.files
    assert len(GEOMETRY.files) == 9
    assert [package.name for package in PACKAGES if package.optional] == ["BiRefNet"]


def test_weights_that_come_by_their_names_alone_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    assert store.trouble([GEOMETRY]) == "The weights are not downloaded yet."
    assert store.trouble([GUIDED]) == "The weights stable-diffusion-2-depth are not downloaded yet."
    with pytest.raises(UserError) as caught:
        store.find(GUIDED)
    assert "`python -m backend weights download stable-diffusion-2-depth`" in caught.value.advice


def test_a_revision_is_a_whole_commit_or_the_branch() -> None:
    revisions = {package.name: package.revision for package in EVERY}
    assert all(revision == BRANCH or re.fullmatch("[0-9a-f]{40}", revision) for revision in revisions.values())
    assert revisions[CONDITIONER.name] != BRANCH


def test_a_copy_made_by_hand_is_found(folder: Path) -> None:
    assert store.find(CONDITIONER) == folder
    assert store.missing([CONDITIONER]) == []
    assert store.status(CONDITIONER).bytes_missing == 0


def test_a_missing_file_is_named_with_what_brings_it(folder: Path) -> None:
    (folder / MODEL).unlink()
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert caught.value.code == "weights-missing"
    assert MODEL in caught.value.sentence
    assert str(folder) in caught.value.sentence
    assert "weights download" in caught.value.advice
    assert store.missing([CONDITIONER]) == [f"{CONDITIONER.name}/{MODEL}"]
    assert store.status(CONDITIONER).state == "partial"


def test_a_packages_own_folder_is_not_the_folder_of_all(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(folder))
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert str(folder.parent) in caught.value.advice


def test_a_copy_without_a_record_is_checked_by_its_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify"]) == 0
    assert "present, not verified against the hub" in capsys.readouterr().out
    assert list(folder.glob("*.json")) == [folder / "config.json"]


def test_recorded_hashes_show_a_later_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", "--record"]) == 0
    assert main(["weights", "verify"]) == 0
    assert "not verified against the hub" in capsys.readouterr().out
    alter(folder / MODEL)
    assert store.find(CONDITIONER) == folder  # the hashes were not computed again
    assert main(["weights", "verify"]) == 1
    assert MODEL in capsys.readouterr().err
    with pytest.raises(UserError, match=MODEL):
        store.find(CONDITIONER)


def test_a_repaired_file_is_verified_again(folder: Path) -> None:
    check(CONDITIONER, unseen, record_hashes=True)
    whole = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(whole[:-1])
    assert store.missing([CONDITIONER]) == [f"{CONDITIONER.name}/{MODEL}"]  # by its size, without a look inside
    assert check(CONDITIONER, unseen).faults[0][0] == MODEL
    (folder / MODEL).write_bytes(whole)
    assert check(CONDITIONER, unseen).faults == ()
    assert store.find(CONDITIONER) == folder


def test_nothing_to_verify_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "none"))
    assert main(["weights", "verify"]) == 1
    assert "missing" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


EMPTY = {"format": 1, "repository": CONDITIONER.repository, "revision": "", "licence": "", "files": {}}
OUTSIDE = {"size": 1, "algorithm": "sha256", "digest": "../../../somewhere", "verified": True}


DAMAGED: dict[str, str | bytes] = {
    "half": "{",
    "a list": "[]",
    "nothing in it": "{}",
    "a text": '"text"',
    "another version": json.dumps({**EMPTY, "format": 2}),
    "another repository": json.dumps({**EMPTY, "repository": "another/one"}),
    "a number for a text": json.dumps({**EMPTY, "revision": 1}),
    "a list of files": json.dumps({**EMPTY, "files": ["config.json"]}),
    "a path for a hash": json.dumps({**EMPTY, "files": {"config.json": OUTSIDE}}),
    "an unknown hash": json.dumps({**EMPTY, "files": {"config.json": {**OUTSIDE, "algorithm": "md5"}}}),
    "a list for a hash": json.dumps({**EMPTY, "files": {"config.json": {**OUTSIDE, "algorithm": ["sha256"]}}}),
    "a size that no file has": json.dumps({**EMPTY, "files": {"config.json": {**OUTSIDE, "size": 10**400}}}).replace(
        "../../../somewhere", "0" * 64
    ),
    "control characters": json.dumps({**EMPTY, "revision": "\x1b[2Jverified"}),
    "half an entry": json.dumps({**EMPTY, "files": {"config.json": {"size": 1}}}),
    "nested": "[" * 100_000,
    "nested files": json.dumps(EMPTY).replace("{}", '{"a":' * 100_000),
    "no text": b"\xff\xfe",
    "large": b" " * 2_000_000,
}


@pytest.fixture(params=[*DAMAGED, "a folder", "a pipe", "a link to itself"])
def damaged(request: pytest.FixtureRequest, folder: Path) -> Path:
    """A folder whose files are whole and whose record cannot be used."""
    path = folder / record.NAME
    if request.param == "a folder":
        path.mkdir()
    elif request.param == "a pipe" and sys.platform != "win32":
        os.mkfifo(path)
    elif request.param == "a link to itself" and sys.platform != "win32":
        path.symlink_to(path)
    elif request.param in DAMAGED:
        content = DAMAGED[request.param]
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    else:
        pytest.skip("Windows has no pipes on the disk, and links only for some")
    return folder


def test_a_damaged_record_is_said_and_raises_nothing_where_engines_ask(
    damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert store.missing([GEOMETRY, CONDITIONER])[-1] == f"{CONDITIONER.name}/{record.NAME}"
    assert store.revisions([CONDITIONER]) == {CONDITIONER.name: ""}
    trouble = store.trouble([GEOMETRY, CONDITIONER])
    assert str(damaged / record.NAME) in trouble
    assert "Download the weights again" in trouble
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert caught.value.code == "weights-record-damaged"
    assert main(["weights", "list", "--json"]) == 0
    states = {each["name"]: each for each in json.loads(capsys.readouterr().out)["packages"]}
    assert states[CONDITIONER.name]["state"] == "damaged"
    assert states[CONDITIONER.name]["trouble"] == caught.value.sentence
    assert states[GEOMETRY.name]["state"] == "absent"
    assert main(["weights", "list"]) == 0
    assert caught.value.sentence in capsys.readouterr().out


def test_a_damaged_record_is_a_fault_until_the_hashes_are_recorded(
    damaged: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["weights", "verify"]) == 1
    assert f"{CONDITIONER.name}/{record.NAME} (it cannot be used)" in capsys.readouterr().err
    again = main(["weights", "verify", "--record"])
    if (damaged / record.NAME).is_dir():  # only a person may delete a folder
        assert again == 1
        assert str(damaged / record.NAME) in capsys.readouterr().err
    else:
        assert again == 0
        assert store.find(CONDITIONER) == damaged


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root can become another user")
def test_a_folder_that_another_user_closed_is_damaged(folder: Path) -> None:
    assert store.status(CONDITIONER).state == "present"
    os.seteuid(65534)  # the user “nobody” cannot enter the folder of the tests
    try:
        found = store.status(CONDITIONER)
        trouble = store.trouble([CONDITIONER])
    finally:
        os.seteuid(0)
    assert found.state == "damaged"
    assert "Permission denied" in trouble


def test_the_revision_is_the_hubs_commit_or_names_the_content(folder: Path) -> None:
    assert store.revisions([CONDITIONER, NORMALS]) == {CONDITIONER.name: "", NORMALS.name: ""}
    check(CONDITIONER, unseen, record_hashes=True)
    before = store.revisions([CONDITIONER])[CONDITIONER.name]
    assert re.fullmatch("sha256:[0-9a-f]{16}", before)
    alter(folder / MODEL)
    (folder / record.NAME).unlink()
    check(CONDITIONER, unseen, record_hashes=True)
    assert store.revisions([CONDITIONER])[CONDITIONER.name] not in ("", before)
    known = record.read(CONDITIONER)
    assert known is not None
    record.write(CONDITIONER, replace(known, revision="a" * 40))
    assert store.revisions([CONDITIONER]) == {CONDITIONER.name: "a" * 40}
    used = {package.name: "" for package in PACKAGES if package.name != "BiRefNet"}  # without it there is another way
    assert ENGINES["hi3dgen"].versions() == used | {CONDITIONER.name: "a" * 40}


def test_git_names_a_file_as_git_does(tmp_path: Path) -> None:
    path = tmp_path / "empty"
    path.touch()
    assert verification.digest(path, "git-sha1", lambda _done, _of: None) == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"


def test_a_safetensors_file_as_the_library_writes_it_is_whole(tmp_path: Path) -> None:
    numpy = pytest.importorskip("safetensors.numpy")
    import numpy as np

    path = tmp_path / "a.safetensors"
    numpy.save_file({"a": np.zeros((3, 5), np.float16), "b": np.zeros(0, np.float32)}, path, {"format": "pt"})
    assert verification.fault(path) == ""
    numpy.save_file({}, path)
    assert verification.fault(path) == ""


@given(st.integers(-1000, 1000).filter(bool))
def test_a_safetensors_file_of_another_length_is_not(tmp_path_factory: pytest.TempPathFactory, by: int) -> None:
    content = tensors("any", 1000)
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    path.write_bytes(content[:by] if by < 0 else content + bytes(by))
    assert verification.fault(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_checked_without_an_exception(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    assert isinstance(verification.fault(path), str)


def alter(path: Path) -> None:
    """Change one bit, and not the size."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
