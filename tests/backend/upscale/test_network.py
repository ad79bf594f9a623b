# SPDX-License-Identifier: GPL-3.0-or-later
"""An upscaler of the user's own: files of the published layouts are read and run, and nothing else is."""

import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backend.upscale.chosen import lacking, versions

if lacking():
    pytest.skip("torch or spandrel is not installed here: the extra hi3dgen has them", allow_module_level=True)

import torch

from backend.engines import ENGINES
from backend.errors import Cancelled, UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Cutout
from backend.flow.request import Request
from backend.upscale import network
from backend.upscale.library import spandrel
from backend.upscale.network import bytes_for_a_pixel, enlarge
from backend.upscale.weights import Upscaler, read_upscaler
from backend.wire import messages
from tests.backend.process import SERVE, Backend
from tests.backend.upscale.tiny import compact, real_esrgan
from tests.backend.vase import Notes, vase

PICTURE = np.random.default_rng(5).integers(0, 256, (90, 40, 3), dtype=np.uint8)


@pytest.fixture(autouse=True)
def processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")


def quiet(_step: int, _of: int) -> None:
    """Nobody asks how far it is."""


class Harmful:
    """Makes a folder when it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """Loading it would call this."""
        return os.makedirs, (str(self.path),)


def test_published_layouts_are_read_and_run(tmp_path: Path) -> None:
    old = tmp_path / "before_2020.pth"
    tensors = torch.load(real_esrgan(tmp_path / "x4.pth"), weights_only=True)["params_ema"]
    torch.save(tensors, old, _use_new_zipfile_serialization=False)
    made = [enlarge(PICTURE[:20, :24], path, quiet) for path in (tmp_path / "x4.pth", old)]
    assert made[0].shape == (80, 96, 3)
    assert np.array_equal(*made)
    assert enlarge(PICTURE[:20, :24], compact(tmp_path / "x2.safetensors"), quiet).shape == (40, 48, 3)


def test_colours_come_back_as_they_were_where_the_network_adds_nothing(tmp_path: Path) -> None:
    made = enlarge(PICTURE, compact(tmp_path / "x2.safetensors", doubling=True), quiet)
    assert np.array_equal(made, PICTURE.repeat(2, axis=0).repeat(2, axis=1))


def test_tiles_leave_no_seam_and_smaller_ones_are_taken_if_memory_runs_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = compact(tmp_path / "x2.safetensors")
    whole = enlarge(PICTURE, path, quiet)
    upscaler = read_upscaler(path)
    room = 80
    seen: list[int] = []

    def run(tile: torch.Tensor) -> torch.Tensor:
        seen.append(tile.shape[2])
        if tile.shape[2] > room:
            raise torch.OutOfMemoryError
        return upscaler.run(tile)

    def full(_path: Path) -> Upscaler:
        return replace(upscaler, run=run)

    monkeypatch.setattr(network, "read_upscaler", full)
    assert np.array_equal(enlarge(PICTURE, path, quiet), whole)
    assert 90 in seen, "all rows at once were tried"
    assert seen[-1] <= room
    room = 64  # for the look at a small picture alone
    with pytest.raises(UserError, match="even in small tiles") as refused:
        enlarge(PICTURE[:70], path, quiet)
    assert refused.value.code == "out-of-memory"


def test_a_larger_network_needs_more_memory_for_a_pixel(tmp_path: Path) -> None:
    small, large = (read_upscaler(real_esrgan(tmp_path / f"{filters}.pth", num_filters=filters)) for filters in (8, 32))
    need = [bytes_for_a_pixel(each, torch.device("cpu")) for each in (small, large)]
    assert 3 * need[0] < need[1] < 5 * need[0]
    assert need[0] > 16 * 8 * 4, "four times as many pixels each way, of 8 numbers of 4 bytes"


def test_it_can_be_cancelled_within_a_tile(tmp_path: Path) -> None:
    calls = 0

    def report(_step: int, _of: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 3:
            raise Cancelled

    with pytest.raises(Cancelled):
        enlarge(PICTURE.repeat(4, axis=0), real_esrgan(tmp_path / "x4.pth", num_filters=32, num_blocks=4), report)


def test_torchvision_is_not_left_behind() -> None:
    """Other libraries ask whether it is there, and would take what stands in for it for the real one."""
    is_there = importlib.util.find_spec("torchvision") is not None
    spandrel()
    assert (importlib.util.find_spec("torchvision") is not None) == is_there
    assert is_there or "torchvision" not in sys.modules


def test_a_file_that_asks_for_code_is_refused_by_name_and_does_not_run(tmp_path: Path) -> None:
    path = tmp_path / "x4.pth"
    torch.save({"params": Harmful(tmp_path / "made")}, path)
    with pytest.raises(UserError, match=r"x4\.pth names “os\.makedirs”") as refused:
        read_upscaler(path)
    assert refused.value.code == "weights-foreign"
    assert "--upscaler" in refused.value.advice
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("kept", [0.0, 0.4, 0.95])
@pytest.mark.parametrize("name", ["x4.pth", "x2.safetensors"])
def test_a_truncated_file_is_refused_by_name(name: str, kept: float, tmp_path: Path) -> None:
    path = (real_esrgan if name.endswith("pth") else compact)(tmp_path / name)
    content = path.read_bytes()
    path.write_bytes(content[: int(kept * len(content))])
    with pytest.raises(UserError, match=name) as refused:
        read_upscaler(path)
    assert refused.value.code == "weights-damaged"
    assert "--upscaler" in refused.value.advice


def test_what_is_no_upscaler_is_refused_by_name(tmp_path: Path) -> None:
    half = torch.load(real_esrgan(tmp_path / "x4.pth"), weights_only=True)["params_ema"]
    torch.save([*half.items()][:4], tmp_path / "list.pth")
    torch.save(dict([*half.items()][:4]), tmp_path / "half.pth")
    torch.save({"one": torch.zeros(3)}, tmp_path / "one.pth")
    torch.save({"params": {0: torch.zeros(3), 1: torch.zeros(2)}}, tmp_path / "numbers.pth")
    real_esrgan(tmp_path / "restores.pth", scale=1)
    real_esrgan(tmp_path / "grey.pth", in_nc=1, out_nc=1)
    (tmp_path / "x4.bin").write_bytes(b"")
    for name in ("list.pth", "half.pth", "one.pth", "numbers.pth", "restores.pth", "grey.pth", "x4.bin"):
        with pytest.raises(UserError, match=name) as refused:
            read_upscaler(tmp_path / name)
        assert refused.value.code == "upscaler-unknown"
    with pytest.raises(UserError, match=r"none\.pth") as refused:
        read_upscaler(tmp_path / "none.pth")
    assert refused.value.code == "weights-missing"


def test_the_recipe_tells_one_file_from_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x4.pth"
    monkeypatch.setenv("HI3DGEN_UPSCALER", str(path))
    assert versions() == {}
    found: list[str] = []
    for content in (b"one", b"another"):
        path.write_bytes(content)
        found.append(versions()["upscale"])
    assert all(each.startswith("x4.pth ") for each in found)
    assert found[0] != found[1]


def test_the_picture_itself_becomes_larger_so_that_colours_gain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_UPSCALER", str(compact(tmp_path / "x2.safetensors", doubling=True)))
    asked = Request({"picture": vase(45, 35)}, settings={"resolution": 96, "upscale": True})
    watcher = Notes()
    (outcome,) = Pipeline(ENGINES).run(asked, watcher, gives=["cutout", "normal_map"])
    assert outcome.notes == ()
    assert outcome.recipe["versions"]["upscale"].startswith("x2.safetensors ")
    cutout = outcome.products["cutout"]
    assert isinstance(cutout, Cutout)
    assert (cutout.crop.picture_width, cutout.crop.picture_height) == (70, 90)
    (larger,) = (product for name, product in watcher.products if name == "picture")
    assert isinstance(larger, np.ndarray)
    assert larger.shape == (90, 70, 4)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["draft", "hi3dgen"])
def test_a_real_backend_upscales_by_the_users_own_weights(
    engine: str, tiny_weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny_weights))
    monkeypatch.setenv("HI3DGEN_UPSCALER", str(real_esrgan(tmp_path / "x4.pth")))
    settings = {"upscale": True, **({"resolution": 128} if engine == "draft" else {"quality": "preview"})}
    with Backend(SERVE) as backend, backend.client() as client:
        client.send(messages.Request("one", engine, 0, {"picture": vase(60, 50)}, {**settings, "colours": "1024"}))
        said = client.until_end_of("one")
    assert isinstance(said[-1], messages.Result), said[-1]
    assert not [note for note in said[-1].notes if "without new detail" in note]
    assert said[-1].recipe["versions"]["upscale"].startswith("x4.pth ")
    assert any(isinstance(each, messages.Progress) and each.label == "Upscaling the picture" for each in said)
