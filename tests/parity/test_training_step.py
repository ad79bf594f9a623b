# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a training have the published losses, norms, limits, rates, loss scales, weights and moving averages."""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.training.core.devices import Devices
from backend.training.core.schedule import Schedule, TrainingStage
from backend.training.core.state import State
from backend.training.core.step import follow
from backend.training.norld import flow_matching
from backend.training.norld.clipping import AdaptiveClip
from backend.training.norld.step import FIRST_LOG_SCALE, StepSettings

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Batch:
    """What one step learns from."""

    data: Tensor
    tokens: Tensor
    draws: flow_matching.Draws

    def __len__(self) -> int:
        return len(self.data)

    def to(self, device: torch.device) -> Self:
        """The same: there is one device."""
        assert device == CPU
        return self

    def parts(self, count: int) -> list[Self]:
        """The whole batch."""
        assert count == 1
        return [self]


def loss(network: nn.Module, batch: Batch, moment: object) -> tuple[Tensor, Mapping[str, Tensor]]:
    assert isinstance(network, StructureFlow)
    return flow_matching.match(network, batch.data, batch.tokens, batch.draws).loss, {}


@golden.each("train_step")
def test_steps(path: Path) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    flow = StructureFlow(StructureFlowConfig(**fixture.config))
    flow.load_state_dict(fixture.weights_like(flow.state_dict()))
    optimizer = getattr(torch.optim, facts["optimizer"]["name"])(flow.parameters(), **facts["optimizer"]["args"])
    warm_up = re.search(r"warmup_steps (\d+)", facts["lr_scheduler"])
    stage = TrainingStage(None, facts["optimizer"]["args"]["lr"], warm_up=int(warm_up[1]) if warm_up else 0)
    clip = facts["grad_clip"]["args"]
    first, *other_rates = facts["ema_rate"]
    schedule = Schedule({"trunk": stage}, first, 1, 1, clip=clip["max_norm"])
    state = State("trunk", flow, copy.deepcopy(flow), optimizer, 0, 0, None, 0)
    others = [copy.deepcopy(flow) for _ in other_rates]
    settings = StepSettings(
        "fp32", 1, FIRST_LOG_SCALE, facts["fp16_scale_growth"], clip["clip_percentile"], clip["buffer_size"]
    )
    task: Any = SimpleNamespace(schedule=schedule, loss=loss)
    step = settings(task, state, Devices(CPU))
    found: dict[str, list[float]] = {name: [] for name in ("loss", "grad_norm", "max_norm", "lr", "log_scale")}
    for k in range(facts["steps"]):
        inputs = {name: fixture.input(name)[k] for name in ("x0", "cond", "noise", "t")}
        kept = torch.zeros(len(inputs["t"]), dtype=torch.bool)
        draws = flow_matching.Draws(inputs["noise"], inputs["t"], kept)
        measured = step(Batch(inputs["x0"], inputs["cond"], draws))
        for average, rate in zip(others, other_rates, strict=True):
            follow(average, flow, rate)
        found["loss"].append(measured["loss"].item())
        found["grad_norm"].append(measured["norm"].item())
        found["max_norm"].append(state.kept["clip"]["limit"])
        found["lr"].append(optimizer.param_groups[0]["lr"])
        found["log_scale"].append(state.kept["log_scale"])
    for name, values in found.items():
        golden.assert_close(torch.tensor(values), fixture.output(name), relative=5e-5, absolute=1e-6)
    networks = {"param": flow, "ema0": state.average, **{f"ema{i}": ema for i, ema in enumerate(others, start=1)}}
    for name in fixture.outputs:
        network, _, parameter = name.partition(".")
        if parameter:
            ours = networks[network].get_parameter(parameter)
            golden.assert_close(ours.detach(), fixture.output(name), relative=5e-5, absolute=1e-6)
        elif name.endswith("_norms"):
            weights = dict(networks[name.removesuffix("_norms")].named_parameters())
            norms = torch.stack([weights[known].detach().norm() for known in facts["names"]])
            golden.assert_close(norms, fixture.output(name), relative=5e-5, absolute=1e-6)


@golden.each("grad_clip")
def test_the_limit_of_the_norm(path: Path) -> None:
    fixture = golden.read(path)
    args = fixture.facts["args"]
    clip = AdaptiveClip(args["max_norm"], args["clip_percentile"], args["buffer_size"])
    spoiled = {int(call) for call in re.findall(r"call (\d+) had a NaN", fixture.facts["notes"])}
    for call, gradient in enumerate(fixture.input("grads")):
        parameter = nn.Parameter(torch.zeros_like(gradient))
        parameter.grad = gradient.clone()
        if call in spoiled:
            parameter.grad[0] = torch.nan
        norm = clip.clip([parameter])
        assert bool(norm.isfinite()) == (call not in spoiled)
        assert clip.limit == pytest.approx(fixture.output("max_norm_after")[call].item(), rel=1e-5)
        if call not in spoiled:
            golden.assert_close(norm, fixture.output("norms_before")[call])
            golden.assert_close(parameter.grad, fixture.output("clipped")[call])
