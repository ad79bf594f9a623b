# SPDX-License-Identifier: GPL-3.0-or-later
"""One evaluation of flow matching has the published draws, states, loss and gradients."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.sparse import Voxels
from backend.training.norld import flow_matching
from backend.training.norld.flow_matching import Draws, TimeSchedule


def assert_matched_alike(fixture: golden.Fixture, flow: StructureFlow | LatentFlow, voxels: Voxels | None) -> None:
    """From noise and data to the gradients."""
    flow.load_state_dict(fixture.weights_like(flow.state_dict()))
    draws = Draws(fixture.input("noise"), fixture.input("t"), fixture.input("drop"))
    path = flow_matching.Path(fixture.facts["sigma_min"])
    found = flow_matching.match(flow, fixture.input("x0"), fixture.input("cond"), draws, voxels, path)
    ours: dict[str, Tensor] = {
        "x_t": found.state,
        "t_model": 1000 * draws.times,
        "target": found.target,
        "v": found.velocity,
        "x0_hat": found.data,
        "loss": found.loss,
        "mse_per_instance": found.of_items,
    }
    golden.assert_outputs_close(fixture, ours, needed=list(ours), relative=5e-6)
    bins = flow_matching.by_time(found.of_items, draws.times)
    assert {name: value.item() for name, value in bins.items()} == pytest.approx(fixture.facts["bins"], rel=1e-5)
    found.loss.backward()
    gradients = {name: parameter.grad for name, parameter in flow.named_parameters() if parameter.grad is not None}
    norms = torch.stack([gradients[name].norm() for name in fixture.facts["grad_names"]])
    golden.assert_close(norms, fixture.output("grad_norms"), relative=1e-5)
    for name in fixture.outputs:
        if name.startswith("grad."):
            golden.assert_close(gradients[name.removeprefix("grad.")], fixture.output(name), relative=1e-5)


@golden.each("flow_dense")
def test_the_structures_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    assert_matched_alike(fixture, StructureFlow(StructureFlowConfig(**fixture.config)), None)


@golden.each("flow_sparse")
def test_the_latents_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    assert_matched_alike(
        fixture,
        LatentFlow(LatentFlowConfig(**fixture.config)),
        Voxels(fixture.input("coords"), len(fixture.input("t"))),
    )


def assert_drawn_alike(fixture: golden.Fixture) -> None:
    torch_seed, numpy_seed = (int(seed) for seed in re.findall(r"seed\((\d+)\)", fixture.facts["draws"]))
    generator, random = torch.Generator().manual_seed(torch_seed), np.random.RandomState(numpy_seed)
    noise, t = fixture.input("noise"), fixture.input("t")
    schedule = TimeSchedule(**fixture.facts["t_schedule"])
    drawn = Draws.of(noise.shape, len(t), schedule, fixture.facts["p_uncond"], generator, random)
    assert torch.equal(drawn.noise, noise)
    golden.assert_close(drawn.times, t, absolute=1e-7)
    assert torch.equal(drawn.dropped, fixture.input("drop"))


@golden.each("flow_dense")
def test_what_is_drawn_for_a_structure(path: Path) -> None:
    assert_drawn_alike(golden.read(path))


@golden.each("flow_sparse")
def test_what_is_drawn_for_latents(path: Path) -> None:
    assert_drawn_alike(golden.read(path))


@golden.each("t_sampling")
def test_times(path: Path) -> None:
    fixture = golden.read(path)
    levels = torch.tensor([0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
    for name, schedule in (("published", TimeSchedule()), ("default", TimeSchedule(mean=0.0))):
        generator = torch.Generator().manual_seed(fixture.facts["seed"])
        t = schedule.draw(fixture.facts["n"], generator)
        shares = torch.histc(t, 10, 0, 1)
        ours = {name: t, f"{name}_mean": t.mean(), f"{name}_std": t.std(), f"{name}_quantiles": t.quantile(levels)}
        golden.assert_outputs_close(fixture, ours, needed=list(ours), absolute=1e-6)
        golden.assert_close(t, fixture.output(name), absolute=1e-7)
        theirs = fixture.output(f"{name}_bins")
        golden.assert_close(shares / shares.sum() * theirs.sum(), theirs)
