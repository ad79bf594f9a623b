# SPDX-License-Identifier: GPL-3.0-or-later
"""The published files of Hi3D: a good one comes back to the bit, others are refused in plain sentences."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.nn.pickled import read_module


def file_of(path: Path, what: str) -> Path:
    """One of the fixture's files."""
    return path.parent / golden.read(path).facts["files"][what].split()[0]


@golden.each("hi3d_checkpoint")
def test_a_good_file_comes_back_to_the_bit(path: Path) -> None:
    fixture = golden.read(path)
    tensors = read_module(file_of(path, "good"))
    assert tensors.keys() == set(fixture.outputs)
    for name, tensor in tensors.items():
        theirs = fixture.output(name)
        assert tensor.dtype == theirs.dtype
        assert torch.equal(tensor if theirs.ndim == 0 else tensor[: len(theirs)], theirs)


@golden.each("hi3d_checkpoint")
def test_a_file_that_names_code_is_refused_and_runs_nothing(path: Path) -> None:
    with pytest.raises(
        UserError, match=r"names “[\w.]+\.[\w.]+”, code that weights do not need; it was not run"
    ) as caught:
        read_module(file_of(path, "foreign_global"))
    assert caught.value.code == "weights-foreign"


@golden.each("hi3d_checkpoint")
def test_a_file_that_is_cut_short_is_refused_with_its_name(path: Path) -> None:
    file = file_of(path, "truncated")
    with pytest.raises(UserError, match="is cut short") as caught:
        read_module(file)
    assert caught.value.code == "weights-damaged"
    assert file.name in caught.value.sentence


@pytest.mark.parametrize(
    "document", [{"module": {}}, {"module": {"module.x": 3}}, {"module": {"x": torch.ones(1)}}, [1]]
)
def test_a_file_of_another_layout_is_refused(document: object, tmp_path: Path) -> None:
    torch.save(document, tmp_path / "other.pt")
    with pytest.raises(UserError, match=r"other\.pt (holds no network|has .+ among its tensors)"):
        read_module(tmp_path / "other.pt")


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        read_module(tmp_path / "first_stage.pt")
