# SPDX-License-Identifier: GPL-3.0-or-later
"""A published file becomes parts in half precision, once, and nothing of it is lost."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from backend.errors import UserError

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import load_file

from backend.views.conversion import converted, folder_of, known
from backend.views.model import HI3D_FIRST, HI3D_SECOND, SV3D, Model
from backend.weights.lock import only_process_in
from tests.parity import golden


def small_file(folder: Path, **changes: torch.Tensor) -> Path:
    """A file that has one tensor of every part of the first stage, and its remnants."""
    tensors = {f"{prefix}a.weight": torch.full((2, 3), 0.1) for prefix in HI3D_FIRST.parts.values()}
    tensors |= {name: torch.zeros(()) for name in HI3D_FIRST.remnants} | changes
    file = folder / "first_stage.pt"
    torch.save({"module": {f"module.{name}": tensor for name, tensor in tensors.items()}, "epoch": 3}, file)
    return file


@pytest.mark.parametrize(
    ("manifest", "model"),
    [
        ("full_hi3d_stage1", HI3D_FIRST),
        ("full_hi3d_stage2", HI3D_SECOND),
        ("ldm_e1", HI3D_FIRST),
        ("sv3d_u_u1", SV3D),
        ("sv3d_p_p1", SV3D),
    ],
)
def test_every_published_tensor_is_of_one_part_or_a_known_remnant(manifest: str, model: Model) -> None:
    names = golden.full(manifest, "")
    of = {name: [part for part, prefix in model.parts.items() if name.startswith(prefix)] for name in names}
    assert {name for name, parts in of.items() if not parts} == model.remnants
    assert max(len(parts) for parts in of.values()) == 1
    assert {parts[0] for parts in of.values() if parts} == {*model.parts}


def test_parts_are_halved_but_for_the_score_and_equal_ones_share_a_file(tmp_path: Path) -> None:
    parts = converted(small_file(tmp_path), HI3D_FIRST, golden.no_report)
    assert parts.folder == tmp_path / "first_stage-fp16"
    assert parts.files["encoder"] == parts.files["vae"]
    dtypes = {part: load_file(path)["a.weight"].dtype for part, path in parts.files.items()}
    assert dtypes.pop("score") == torch.float32
    assert {*dtypes.values()} == {torch.float16}
    assert parts.values["unet"] == 6


def test_copies_that_differ_are_both_kept(tmp_path: Path) -> None:
    other = {f"{HI3D_FIRST.parts['encoder']}a.weight": torch.ones(2, 3)}
    parts = converted(small_file(tmp_path, **other), HI3D_FIRST, golden.no_report)
    assert load_file(parts.files["encoder"])["a.weight"].eq(1).all()
    assert parts.files["encoder"] != parts.files["vae"]


def test_a_file_is_converted_once_and_anew_if_it_changes(tmp_path: Path) -> None:
    reports: list[tuple[int, int]] = []

    def report(step: int, of: int) -> None:
        reports.append((step, of))

    file = small_file(tmp_path)
    assert known(file) is None
    converted(file, HI3D_FIRST, report)
    assert (reports[0], reports[-1]) == ((0, 6), (1, 1))
    reports.clear()
    converted(file, HI3D_FIRST, report)
    assert not reports
    small_file(tmp_path, **{f"{HI3D_FIRST.parts['unet']}b": torch.ones(1)})
    assert known(file) is None
    assert converted(file, HI3D_FIRST, report).values["unet"] == 7


def test_parts_that_lack_a_file_are_made_again(tmp_path: Path) -> None:
    file = small_file(tmp_path)
    converted(file, HI3D_FIRST, golden.no_report).files["clip"].unlink()
    assert known(file) is None
    assert converted(file, HI3D_FIRST, golden.no_report).files["clip"].is_file()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"model.unknown": torch.ones(1)}, r"holds the tensor model\.unknown, which the first stage does not have"),
        ({"drop": torch.ones(1)}, r"does not hold the part clip of the first stage"),
    ],
)
def test_a_file_that_is_not_the_models_is_refused_and_leaves_nothing(
    changes: dict[str, torch.Tensor], sentence: str, tmp_path: Path
) -> None:
    file = small_file(tmp_path, **changes)
    if "drop" in changes:
        module = torch.load(file, weights_only=True)["module"]
        kept = {name: tensor for name, tensor in module.items() if "visual" not in name and name != "module.drop"}
        torch.save({"module": kept}, file)
    with pytest.raises(UserError, match=sentence):
        converted(file, HI3D_FIRST, golden.no_report)
    assert [path.name for path in tmp_path.iterdir()] == ["first_stage.pt"]


def test_a_conversion_that_ends_early_leaves_nothing(tmp_path: Path) -> None:
    def cancel(step: int, _: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    file = small_file(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        converted(file, HI3D_FIRST, cancel)
    assert [path.name for path in tmp_path.iterdir()] == ["first_stage.pt"]


def test_what_a_killed_conversion_has_left_goes_with_the_next(tmp_path: Path) -> None:
    left = tmp_path / ".hi3dgen-0123.part"
    left.mkdir()
    (left / "unet.safetensors").write_bytes(b"half of it")
    converted(small_file(tmp_path), HI3D_FIRST, golden.no_report)
    assert not left.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="a process of Windows cannot lock against itself")
def test_nothing_is_converted_while_another_process_changes_the_weights(tmp_path: Path) -> None:
    package = tmp_path / "hi3d"
    package.mkdir()
    file = small_file(package)
    with only_process_in(tmp_path), pytest.raises(UserError, match="Another process is busy with the weights"):
        converted(file, HI3D_FIRST, golden.no_report)
    assert converted(file, HI3D_FIRST, golden.no_report).files


def test_a_description_that_cannot_be_used_is_none(tmp_path: Path) -> None:
    file = small_file(tmp_path)
    converted(file, HI3D_FIRST, golden.no_report)
    for text in ("{", "[]", json.dumps({"format": 1})):
        (folder_of(file) / "description.json").write_text(text, encoding="utf-8")
        assert known(file) is None
    shutil.rmtree(folder_of(file))
    assert known(file) is None
