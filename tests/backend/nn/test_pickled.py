# SPDX-License-Identifier: GPL-3.0-or-later
"""Of torch's files only tensors are taken: what asks for anything else is refused by name, before it runs."""

import os
import sys
import types
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.nn.pickled import LIGHTNING, read_module, read_state

WEIGHTS = {"one": torch.arange(6.0).reshape(2, 3), "half": torch.ones(4, dtype=torch.float16)}


class Harmful:
    """Makes a folder when it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Loading it would call this."""
        return os.makedirs, (str(self.path),)


def written(path: Path, **content: Any) -> Path:
    torch.save(content, path)
    return path


def test_the_tensors_of_an_entry_come_back(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ckpt", state_dict={**WEIGHTS, "count": 3}, epoch=7)
    read = read_state(path)
    assert [*read] == [*WEIGHTS]
    assert all(torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in WEIGHTS.items())


def test_a_file_that_asks_for_something_else_is_refused_by_name_and_does_not_run(tmp_path: Path) -> None:
    path = written(tmp_path / "a.ckpt", state_dict=WEIGHTS, callbacks=[Harmful(tmp_path / "made")])
    with pytest.raises(UserError, match=r"names “os\.makedirs”") as refused:
        read_state(path)
    assert refused.value.code == "weights-foreign"
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", LIGHTNING[:2])
def test_what_lightning_tells_of_the_training_is_ignored(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, _, own = name.rpartition(".")
    kept: Any = type(own, (), {"__module__": module})
    with monkeypatch.context() as there:
        for end in range(module.count(".") + 1):
            part = ".".join(module.split(".")[: end + 1])
            if part not in sys.modules or part == module:
                there.setitem(sys.modules, part, types.ModuleType(part))
        setattr(sys.modules[module], own, kept)
        path = written(tmp_path / "a.ckpt", callbacks={kept: {"best": kept()}}, state_dict=WEIGHTS)
    assert [*read_state(path)] == [*WEIGHTS]
    with pytest.raises(UserError, match=name):
        read_module(path)


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9])
def test_a_truncated_file_is_damaged(kept: float, tmp_path: Path) -> None:
    path = written(tmp_path / "a.ckpt", state_dict=WEIGHTS)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UserError, match="cannot be read") as raised:
        read_state(path)
    assert raised.value.code == "weights-damaged"


def test_other_content_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="holds no network below “state_dict”"):
        read_state(written(tmp_path / "a.ckpt", module=WEIGHTS))


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="is not there"):
        read_state(tmp_path / "a.ckpt")
