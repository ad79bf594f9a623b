# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler takes the published one's steps, with the same guidance at the same times."""

import re
from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden
from tests.parity.formulas import evaluate

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.nn.sampler import Sampling, Velocity, sample, time_grid

ALWAYS = (0.0, 1.0)


def velocity_of(
    fixture: golden.Fixture, formula: str, items: Tensor, states: list[Tensor], calls: list[tuple[float, bool]]
) -> Velocity[Tensor]:
    """The velocity that the fixture's JSON writes as a formula of a state whose rows belong to the batch's `items`.

    Appends to `states` the state before each step, and to `calls` the network's time of every call, and whether it was
    conditional.
    """
    constants = dict(zip("ABCD", fixture.facts["ABCD"], strict=True))
    formula = re.sub(r"mean\(cond.*?\)", "condition", formula)
    means = {
        conditional: fixture.input(name).flatten(1).mean(1)[items]
        for conditional, name in ((True, "cond"), (False, "neg_cond"))
    }

    def velocity(x: Tensor, t: float, *, conditional: bool) -> Tensor:
        network_time = torch.tensor(1000 * t, dtype=torch.float32)
        calls.append((network_time.item(), conditional))
        if conditional:
            states.append(x)
        condition = means[conditional].view(-1, *[1] * (x.ndim - 1))
        names = {**constants, "x": x, "t": network_time / 1000, "sin": torch.sin, "condition": condition}
        return evaluate(formula, names)

    return velocity


def dense(fixture: golden.Fixture, states: list[Tensor], calls: list[tuple[float, bool]]) -> Velocity[Tensor]:
    formula = re.search(r"v = (.*?) with", fixture.facts["velocity_model"])
    assert formula
    return velocity_of(fixture, formula[1], torch.arange(len(fixture.input("noise"))), states, calls)


def sampling_of(params: dict[str, Any]) -> Sampling:
    """How to sample by a fixture's parameters; without an interval it is guided at all times, if at all."""
    interval = tuple(params.get("cfg_interval", ALWAYS))
    return Sampling(params["steps"], params.get("cfg_strength", 0), interval, params.get("rescale_t", 1.0))


@golden.each("sampler")
def test_guidance_in_part_of_the_time(path: Path) -> None:
    fixture = golden.read(path)
    for i, run in enumerate(fixture.facts["runs"]):
        sampling = sampling_of(run["params"])
        states: list[Tensor] = []
        calls: list[tuple[float, bool]] = []
        found = sample(dense(fixture, states, calls), fixture.input("noise"), sampling, golden.no_report)
        assert time_grid(sampling.steps, sampling.rescale_t) == fixture.output(f"run{i}.t_seq").tolist()
        assert len(calls) == sampling.evaluations == run["model_calls"]
        assert [t for t, _ in calls] == fixture.output(f"run{i}.t_network").tolist()
        assert [conditional for _, conditional in calls] == fixture.output(f"run{i}.cond_used").bool().tolist()
        golden.assert_close(torch.stack([*states[1:], found]), fixture.output(f"run{i}.pred_x_t"))
        golden.assert_close(found, fixture.output(f"run{i}.samples"))


@golden.each("sampler")
@pytest.mark.parametrize("name", ["plain", "cfg"])
def test_no_guidance_or_guidance_at_all_times(path: Path, name: str) -> None:
    fixture = golden.read(path)
    sampling = sampling_of(fixture.facts[name])
    found = sample(dense(fixture, [], []), fixture.input("noise"), sampling, golden.no_report)
    golden.assert_close(found, fixture.output(f"{name}.samples"))


@golden.each("sampler")
def test_features_at_voxels(path: Path) -> None:
    """The state's rows are voxels; the steps are those of the first run."""
    fixture = golden.read(path)
    formula = re.search(r"sparse case: v = (.*)", fixture.facts["velocity_model"])
    assert formula
    items = fixture.input("sparse.coords")[:, 0].long()
    velocity = velocity_of(fixture, formula[1], items, [], [])
    sampling = sampling_of(fixture.facts["runs"][0]["params"])
    found = sample(velocity, fixture.input("sparse.feats"), sampling, golden.no_report)
    golden.assert_close(found, fixture.output("sparse.feats"))
