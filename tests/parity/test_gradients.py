# SPDX-License-Identifier: GPL-3.0-or-later
"""One step of flow matching has the published loss and the published gradients."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.sparse import Voxels


def assert_trained_alike(
    fixture: golden.Fixture, flow: StructureFlow | LatentFlow, velocity: Callable[[Tensor], Tensor], times: Tensor
) -> None:
    """From noise and data to the gradients. `times` are of the elements, `velocity` is at a state between both."""
    flow.load_state_dict(fixture.weights_like(flow.state_dict()))
    least = fixture.facts["sigma_min"]
    data, noise = fixture.input("x0"), fixture.input("noise")
    state = (1 - times) * data + (least + (1 - least) * times) * noise
    target = (1 - least) * noise - data
    v = velocity(state)
    loss = (v - target).square().mean()
    golden.assert_outputs_close(
        fixture, {"x_t": state, "target": target, "v": v, "loss": loss}, needed=["v", "loss"], relative=5e-6
    )
    loss.backward()
    gradients = {name: parameter.grad for name, parameter in flow.named_parameters() if parameter.grad is not None}
    norms = torch.stack([gradients[name].norm() for name in fixture.facts["grad_names"]])
    golden.assert_close(norms, fixture.output("grad_norms"), relative=1e-5)
    for name in fixture.outputs:
        if name.startswith("grad."):
            golden.assert_close(gradients[name.removeprefix("grad.")], fixture.output(name), relative=1e-5)


def condition(fixture: golden.Fixture) -> Tensor:
    """The tokens of each item, zeros for those that are dropped."""
    dropped = fixture.input("drop")[:, None, None]
    return fixture.input("cond") * ~dropped


@golden.each("flow_dense")
def test_the_structures_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    flow, t = StructureFlow(StructureFlowConfig(**fixture.config)), fixture.input("t")
    tokens = condition(fixture)
    times = t.view(-1, *[1] * (fixture.input("x0").ndim - 1))
    assert_trained_alike(fixture, flow, lambda x: flow(x, flow.time(1000 * t), flow.contexts(tokens)), times)


@golden.each("flow_sparse")
def test_the_latents_flow_model(path: Path) -> None:
    fixture = golden.read(path)
    flow, t = LatentFlow(LatentFlowConfig(**fixture.config)), fixture.input("t")
    tokens, voxels = condition(fixture), Voxels(fixture.input("coords"))
    times = t[voxels.coords[:, 0].long()][:, None]
    assert_trained_alike(fixture, flow, lambda x: flow(x, flow.time(1000 * t), flow.contexts(tokens), voxels), times)
