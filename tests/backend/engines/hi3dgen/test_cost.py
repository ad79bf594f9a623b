# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of a run is estimated before the first one, from the operations and the device's speed."""

from collections.abc import Callable
from functools import partial
from itertools import count
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import full_size
import torch
from torch.utils.flop_counter import FlopCounterMode

from backend.engines.hi3dgen import stages as hi3dgen_stages
from backend.engines.hi3dgen.cost import operations
from backend.engines.hi3dgen.engine import hi3dgen
from backend.flow.settings import checked
from backend.models.birefnet import BiRefNet, BiRefNetConfig
from backend.models.structure_decoder import StructureDecoder
from backend.models.structure_flow import StructureFlow
from backend.nn import runner
from backend.nn.device import Compute
from backend.nn.speed import speed_of


def settings(**changes: Any) -> dict[str, Any]:
    return checked("Hi3DGen", hi3dgen().settings, changes)


def whole(**changes: Any) -> float:
    return sum(operations(stage.name, settings(**changes)) for stage in hi3dgen().stages_for(["picture"]))


def test_less_quality_costs_less() -> None:
    assert whole(quality="preview") < whole(quality="balanced") < 0.4 * whole(quality="upstream")


def test_steps_and_guidance_count() -> None:
    assert whole(structure_steps=25) < 0.6 * whole(structure_steps=50)
    assert operations("structure", settings(structure_steps=50)) == operations("structure", settings())
    assert operations("latents", settings(latent_guidance=0)) < operations("latents", settings())


def test_the_published_settings_evaluate_as_often_as_published() -> None:
    """The structure's flow model 50 times with the picture and 38 without it, the latents' 6 and 5 times."""
    flow, unguided = (operations("structure", settings(structure_steps=n, structure_guidance=0)) for n in (2, 1))
    seen = flow - unguided
    decoder = unguided - seen
    guided = operations("structure", settings()) - decoder
    assert (guided - 50 * seen) / 38 == pytest.approx(0.8 * seen, rel=0.05)
    assert operations("latents", settings()) == pytest.approx(6 * 3.4e12 + 5 * 3e12)
    assert operations("clean", settings()) == 0


def test_unseen_sides_cost_something_if_they_are_drawn() -> None:
    """Six views and the reference, and for the refinement 200 encodings there and back, and twelve views."""
    assert operations("unseen", settings()) == operations("unseen", settings(unseen="drawn", colours="front")) == 0
    drawn = operations("unseen", settings(unseen="drawn"))
    assert drawn == pytest.approx(726e12, rel=0.01)
    assert operations("unseen", settings(unseen="refined")) == pytest.approx(drawn + 828e12, rel=0.01)


def test_without_the_weights_unseen_sides_take_no_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    assert hi3dgen_stages.Stages().seconds("unseen", settings(unseen="drawn"), ["picture"]) == 0


def counted(work: Callable[[], object]) -> int:
    """Floating-point operations of `work`, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        work()
    return counter.get_total_flops()


@torch.inference_mode()
def test_the_operations_are_those_of_the_networks() -> None:
    """In full size, on torch's "meta" device, which counts and does not compute."""
    transformers = pytest.importorskip("transformers", reason="transformers is not installed here")
    with torch.device("meta"):
        flow, decoder = StructureFlow(full_size.STRUCTURE_FLOW), StructureDecoder(full_size.STRUCTURE_DECODER)
        state = torch.empty(1, 8, 16, 16, 16)
        contexts = [flow.contexts(torch.empty(1, 1374, 1024)), flow.contexts(None)]
        time = flow.time(torch.empty(1))
        seen, blind = (counted(partial(flow, state, time, each)) for each in contexts)
        assert operations("structure", settings()) == pytest.approx(
            50 * seen + 38 * blind + counted(lambda: decoder(state)), rel=0.05
        )
        config = transformers.Dinov2WithRegistersConfig(
            hidden_size=1024, num_hidden_layers=24, num_attention_heads=16, image_size=518, patch_size=14
        )
        tokenizer = transformers.Dinov2WithRegistersModel(config)
        of_tokens = counted(lambda: tokenizer(torch.empty(1, 3, 518, 518)))
        assert operations("tokens", settings()) == pytest.approx(of_tokens, rel=0.05)


@pytest.mark.slow
@pytest.mark.timeout(600)
@torch.inference_mode()
def test_the_operations_are_those_of_the_foreground_network() -> None:
    with torch.device("meta"):
        network = BiRefNet(BiRefNetConfig()).eval()
        found = counted(lambda: network(torch.empty(1, 3, 1024, 1024)))
    assert operations("foreground", settings()) == pytest.approx(found, rel=0.05)


def test_the_speed_is_the_operations_over_the_seconds() -> None:
    """Three quarters of the matrix products' speed; torch counts these, with one before the clock starts."""
    readings: list[float] = []

    def clock() -> float:
        readings.append(monotonic())
        return readings[-1]

    speeds: list[float] = []
    products = counted(lambda: speeds.append(speed_of(Compute(torch.device("cpu"), torch.float32), clock)))
    first = 2 * 1024**3
    assert speeds[0] == pytest.approx(0.75 * (products - first) / (readings[-1] - readings[0]))
    assert readings[-1] - readings[0] >= 0.1


@pytest.mark.parametrize("seconds", [0.02, 0.05, 3.0])
def test_a_device_is_measured_for_a_tenth_of_a_second_or_one_product(seconds: float) -> None:
    clock = count(0, seconds)
    speed = speed_of(Compute(torch.device("cpu"), torch.float32), lambda: next(clock))
    assert speed == pytest.approx(0.75 * 2 * 1024**3 / seconds)


def test_a_stages_seconds_are_its_operations_over_the_measured_speed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")

    def speed_of(compute: Compute) -> float:
        return 1e12 if compute.dtype == torch.float32 else 1e11

    monkeypatch.setattr(runner, "speed_of", speed_of)
    stages = hi3dgen_stages.Stages()
    for name in ("foreground", "normals", "tokens", "structure", "latents", "geometry", "clean"):
        assert stages.seconds(name, settings(), ["picture"]) == operations(name, settings()) / 1e12
        half = settings(precision="float16")
        assert stages.seconds(name, half, ["picture"]) == operations(name, half) / 1e11
        both = ["picture", "own_cutout", "back"]
        assert stages.seconds(name, settings(), both) == operations(name, settings(), 2) / 1e12


def test_another_picture_costs_what_the_first_does_before_the_shape_is_found() -> None:
    for side, front in (("back_cutout", "foreground"), ("left_normal_map", "normals"), ("right_tokens", "tokens")):
        assert operations(side, settings()) == operations(front, settings()) > 0
    assert {"back_cutout", "left_normal_map", "right_tokens"} <= {stage.name for stage in hi3dgen().stages}


def test_pictures_in_turn_cost_every_evaluation_however_few_are_saved_for_one() -> None:
    balanced, every = settings(quality="balanced"), settings(quality="upstream")
    assert operations("structure", balanced) < 0.5 * operations("structure", every)
    assert operations("structure", balanced, 2) == operations("structure", every) == operations("structure", every, 2)
    unguided = settings(latent_steps=1, latent_guidance=0)
    assert operations("latents", unguided, 4) == 4 * operations("latents", unguided), "each picture has a step"
