# SPDX-License-Identifier: GPL-3.0-or-later
"""A world painted by a tiny random pipeline: seeds, progress, cancelling, and what cannot be loaded."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra files has it")

import torch

from backend.engines.world.continuing import continued
from backend.engines.world.painting import Painter
from backend.engines.world.placing import Placed, placed
from backend.engines.world.views import VIEWS
from backend.errors import Cancelled, UserError
from backend.flow.products import Noted, Panorama
from backend.nn.device import device_lost
from tests.backend.engines.world.scenes import outdoors, unwatched
from tests.backend.tiny_pipeline import save_tiny_fill, save_tiny_kandinsky, save_tiny_pipeline


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_pipeline(tmp_path_factory.mktemp("inpainting"), inpaints=True)


@pytest.fixture(scope="module")
def before() -> tuple[Placed, Panorama]:
    made = placed(outdoors(), fov=80.0, pitch=0.0, width="256", report=unwatched)
    assert isinstance(made, Placed)
    return made, continued(made, report=unwatched)


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter()


def paint(painter: Painter, before: tuple[Placed, Panorama], folder: Path | str, **changed: Any) -> Any:
    settings = {"seed": 1, "prompt": "a meadow", "steps": 2, "guidance": 2.0, "side": 64, "precision": "auto"}
    return painter.paint(*before, pipeline=str(folder), **settings | {"report": unwatched} | changed)


@pytest.mark.slow
def test_a_seed_decides_what_is_painted_and_every_step_is_told(
    painter: Painter, before: tuple[Placed, Panorama], folder: Path
) -> None:
    told: list[tuple[int, int]] = []

    def tell(step: int, of: int) -> None:
        told.append((step, of))

    first = paint(painter, before, folder, report=tell).light
    assert {of for _, of in told} == {2 * len(VIEWS)}
    steps = [step for step, _ in told]
    assert steps == sorted(steps)
    assert {*steps} == {*range(2 * len(VIEWS) + 1)}

    painter.unload()
    assert painter.pipeline is None
    np.testing.assert_array_equal(paint(painter, before, folder).light, first)

    known = before[0].known
    np.testing.assert_array_equal(first[known], before[0].light[known])
    assert np.abs(first - before[1].light)[~known].mean() > 1e-3
    assert np.isfinite(first).all()
    assert first.min() >= 0
    neighbours = np.abs(np.diff(first, axis=1)).max()
    assert np.abs(first[:, 0] - first[:, -1]).max() <= neighbours
    assert np.abs(first - paint(painter, before, folder, seed=2).light)[~known].mean() > 1e-3


def cancel_at(last: int) -> Callable[[int, int], None]:
    def report(step: int, _of: int) -> None:
        if step == last:
            raise Cancelled

    return report


def test_it_can_be_cancelled_within_a_view(painter: Painter, before: tuple[Placed, Panorama], folder: Path) -> None:
    with pytest.raises(Cancelled):
        paint(painter, before, folder, report=cancel_at(3))  # the second view's first of two steps


@pytest.mark.slow
def test_what_the_pipelines_filter_hides_stays_as_it_was_and_is_said(
    painter: Painter, before: tuple[Placed, Panorama], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:

    def hide(_pipeline: object, image: Any, _device: object, _dtype: object) -> tuple[Any, list[bool]]:
        return image * 0, [True]

    from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion_inpaint import StableDiffusionInpaintPipeline

    monkeypatch.setattr(StableDiffusionInpaintPipeline, "run_safety_checker", hide)
    made = paint(painter, before, folder, steps=1)
    assert isinstance(made, Noted)
    assert f"hid {len(VIEWS)} of its views" in made.notes[0]
    np.testing.assert_array_equal(made.product.light, before[1].light)


@pytest.mark.parametrize("name", ["", "nowhere", "empty"])
def test_a_folder_without_a_pipeline_is_a_sentence(
    painter: Painter, before: tuple[Placed, Panorama], tmp_path: Path, name: str
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="pipeline") as raised:
        paint(painter, before, tmp_path / name if name else "")
    assert raised.value.code == "engine-missing"


def test_a_damaged_pipeline_is_a_sentence(painter: Painter, before: tuple[Placed, Panorama], tmp_path: Path) -> None:
    (tmp_path / "model_index.json").write_text('{"_class_name": "StableDiffusionInpaintPipeline"}', "utf-8")
    with pytest.raises(UserError, match="cannot be loaded"):
        paint(painter, before, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("save", "side"), [(save_tiny_fill, 64), (save_tiny_kandinsky, 0)], ids=["FLUX Fill", "Kandinsky"]
)
def test_pipelines_of_other_kinds_paint_too(
    before: tuple[Placed, Panorama], tmp_path: Path, save: Callable[[Path], Path], side: int
) -> None:
    told: list[int] = []

    def tell(step: int, _of: int) -> None:
        told.append(step)

    made = paint(Painter(), before, save(tmp_path), side=side, report=tell)
    known = before[0].known
    np.testing.assert_array_equal(made.light[known], before[0].light[known])
    assert np.abs(made.light - before[1].light)[~known].mean() > 1e-3
    assert {*told} == {*range(2 * len(VIEWS) + 1)}


@pytest.mark.parametrize(
    "kind", ["StableDiffusionUpscalePipeline", "KandinskyV22InpaintPipeline", "AutoencoderKL", ["evil", "Pipeline"]]
)
def test_a_pipeline_that_does_not_paint_is_a_sentence_and_code_beside_it_is_not_run(
    painter: Painter, before: tuple[Placed, Panorama], tmp_path: Path, kind: str | list[str]
) -> None:
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": kind}), "utf-8")
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'was here')!r}, 'w')", "utf-8")
    with pytest.raises(UserError) as raised:
        paint(painter, before, tmp_path)
    assert raised.value.code == "engine-missing"
    assert not (tmp_path / "was here").exists()


def test_loading_can_be_cancelled(before: tuple[Placed, Panorama], folder: Path) -> None:
    def report(_step: int, _of: int) -> None:
        told.append(0)
        if len(told) > 1:
            raise Cancelled

    told: list[int] = []
    with pytest.raises(Cancelled):
        paint(Painter(), before, folder, report=report)


def test_numbers_that_overflow_are_a_sentence_and_no_black_view(
    painter: Painter, before: tuple[Placed, Panorama], folder: Path
) -> None:
    def overflow(_network: object, _taken: object, made: Any) -> Any:
        return tuple(each * float("nan") for each in made)

    with pytest.raises(Cancelled):  # so that it is loaded
        paint(painter, before, folder, report=cancel_at(1))
    hook = painter.pipeline.unet.register_forward_hook(overflow)
    try:
        with pytest.raises(UserError) as raised:
            paint(painter, before, folder)
    finally:
        hook.remove()
    assert raised.value.code == "numbers-overflow"


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (RuntimeError("CUDA error: unspecified launch failure"), "device-lost"),
        (RuntimeError("HIP error: an illegal instruction was encountered"), "device-lost"),
        (torch.OutOfMemoryError("CUDA out of memory"), "out-of-memory"),
        (ValueError("`control_image` is missing"), "engine-missing"),
    ],
    ids=str,
)
def test_what_goes_wrong_in_the_middle_of_a_view_is_a_sentence(
    painter: Painter, before: tuple[Placed, Panorama], folder: Path, trouble: Exception, code: str
) -> None:
    def fail(*_: object) -> None:
        raise trouble

    with pytest.raises(Cancelled):  # so that it is loaded
        paint(painter, before, folder, report=cancel_at(1))
    hook = painter.pipeline.unet.register_forward_pre_hook(fail)
    try:
        with pytest.raises(UserError) as raised:
            paint(painter, before, folder)
    finally:
        hook.remove()
    assert raised.value.code == code
    if code == "device-lost":
        assert (raised.value.sentence, raised.value.advice) == (
            device_lost(torch.device("cpu")).sentence,
            device_lost(torch.device("cpu")).advice,
        )
