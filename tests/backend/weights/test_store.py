# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding the weights, with the standard library alone: copied by hand, with a record, damaged, in a wrong folder."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.__main__ import main
from backend.errors import UserError
from backend.weights import record, store, verification
from backend.weights.catalogue import CONDITIONER, GEOMETRY, NORMALS, PACKAGES
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
    """Follow nothing."""


def test_the_catalogue_names_what_the_loaders_open() -> None:
    assert len({package.name for package in PACKAGES}) == len(PACKAGES)
    assert "unet/diffusion_pytorch_model.fp16.safetensors" in NORMALS.files
    assert len(GEOMETRY.files) == 9
    assert [package.name for package in PACKAGES if package.optional] == ["BiRefNet"]


def test_a_copy_made_by_hand_is_found(folder: Path) -> None:
    assert store.find(CONDITIONER) == folder
    assert store.missing([CONDITIONER]) == []
    assert store.status(CONDITIONER).bytes_missing == 0


def test_what_is_missing_is_named_with_what_brings_it(folder: Path) -> None:
    (folder / MODEL).unlink()
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert caught.value.code == "weights-missing"
    assert MODEL in caught.value.sentence
    assert str(folder) in caught.value.sentence
    assert "weights download" in caught.value.advice
    assert store.missing([CONDITIONER]) == [f"{CONDITIONER.name}/{MODEL}"]
    assert store.status(CONDITIONER).state == "partial"


def test_who_chose_one_package_as_the_folder_of_all_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(folder))
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert str(folder.parent) in caught.value.advice


def test_a_copy_is_checked_by_its_form(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify"]) == 0
    assert "present, not verified against the hub" in capsys.readouterr().out
    assert list(folder.glob("*.json")) == [folder / "config.json"]


def test_hashes_can_be_recorded_from_then_on(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "verify", "--record"]) == 0
    assert main(["weights", "verify"]) == 0
    assert "not verified against the hub" in capsys.readouterr().out
    alter(folder / MODEL)
    assert store.find(CONDITIONER) == folder  # nobody looked
    assert main(["weights", "verify"]) == 1
    assert MODEL in capsys.readouterr().err
    with pytest.raises(UserError, match=MODEL):
        store.find(CONDITIONER)


def test_a_file_that_was_damaged_and_put_right_is_verified_again(folder: Path) -> None:
    check(CONDITIONER, unseen, note=True)
    whole = (folder / MODEL).read_bytes()
    (folder / MODEL).write_bytes(whole[:-1])
    assert store.missing([CONDITIONER]) == [f"{CONDITIONER.name}/{MODEL}"]  # by its size, without a look inside
    assert check(CONDITIONER, unseen).faults[0][0] == MODEL
    (folder / MODEL).write_bytes(whole)
    assert check(CONDITIONER, unseen).faults == ()
    assert store.find(CONDITIONER) == folder


def test_verifying_what_is_not_there_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path / "none"))
    assert main(["weights", "verify"]) == 1
    assert "missing" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


EMPTY = {"format": 1, "repository": CONDITIONER.repository, "revision": "", "licence": "", "files": {}}
OUTSIDE = {"size": 1, "algorithm": "sha256", "digest": "../../../somewhere", "verified": True}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '"text"',
        json.dumps({**EMPTY, "format": 2}),
        json.dumps({**EMPTY, "repository": "another/one"}),
        json.dumps({**EMPTY, "revision": 1}),
        json.dumps({**EMPTY, "files": {"config.json": OUTSIDE}}),
        json.dumps({**EMPTY, "files": {"config.json": {**OUTSIDE, "algorithm": "md5"}}}),
        json.dumps({**EMPTY, "files": {"config.json": {"size": 1}}}),
    ],
)
def test_a_damaged_record_is_told(folder: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / record.NAME).write_text(text, encoding="utf-8")
    with pytest.raises(UserError) as caught:
        store.find(CONDITIONER)
    assert caught.value.code == "weights-record-damaged"
    assert main(["weights", "list", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["error"] == "weights-record-damaged"


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
def test_a_safetensors_file_that_was_cut_or_grew_is_not(tmp_path_factory: pytest.TempPathFactory, by: int) -> None:
    content = tensors("any", 1000)
    path = tmp_path_factory.getbasetemp() / "cut.safetensors"
    path.write_bytes(content[:by] if by < 0 else content + bytes(by))
    assert verification.fault(path)


@given(st.binary(max_size=300))
def test_any_bytes_are_judged_without_an_exception(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "any.safetensors"
    path.write_bytes(len(content).to_bytes(8, "little") + content)
    assert isinstance(verification.fault(path), str)


def alter(path: Path) -> None:
    """Change one bit, and not the size."""
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
