# SPDX-License-Identifier: GPL-3.0-or-later
"""The sampler walks the paths that the published one walked, with the same guidance at the same times."""

from pathlib import Path

import pytest

from tests.parity import fixtures

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.nn.sampler import Sampling, Velocity, sample, time_grid

ALWAYS = (0.0, 1.0)


def nobody(step: int, of: int) -> None:
    """Watches a sampler without wishes."""


def dense(fixture: fixtures.Fixture, walk: list[Tensor], calls: list[tuple[float, bool]]) -> Velocity[Tensor]:
    """The velocity that the fixture's JSON writes out; notes the states that steps start from, and every call."""
    a, b, c, d = fixture.facts["ABCD"]
    means = {
        conditional: fixture.input(name).mean((1, 2)).view(-1, 1, 1, 1, 1)
        for conditional, name in ((True, "cond"), (False, "neg_cond"))
    }

    def velocity(x: Tensor, t: float, *, conditional: bool) -> Tensor:
        network_time = torch.tensor(1000 * t, dtype=torch.float32)
        calls.append((network_time.item(), conditional))
        if conditional:
            walk.append(x)
        time = network_time / 1000
        return a * x + b * torch.sin(3 * time) + c * means[conditional] + d * x * time

    return velocity


@fixtures.each("sampler")
def test_guided_walks(path: Path) -> None:
    fixture = fixtures.read(path)
    for i, run in enumerate(fixture.facts["runs"]):
        params = run["params"]
        sampling = Sampling(params["steps"], params["cfg_strength"], tuple(params["cfg_interval"]), params["rescale_t"])
        walk: list[Tensor] = []
        calls: list[tuple[float, bool]] = []
        found = sample(dense(fixture, walk, calls), fixture.input("noise"), sampling, nobody)
        assert time_grid(sampling.steps, sampling.rescale_t) == fixture.output(f"run{i}.t_seq").tolist()
        assert len(calls) == sampling.evaluations == run["model_calls"]
        assert [t for t, _ in calls] == fixture.output(f"run{i}.t_network").tolist()
        assert [conditional for _, conditional in calls] == fixture.output(f"run{i}.cond_used").bool().tolist()
        fixtures.assert_close(torch.stack([*walk[1:], found]), fixture.output(f"run{i}.pred_x_t"))
        fixtures.assert_close(found, fixture.output(f"run{i}.samples"))


@fixtures.each("sampler")
def test_walks_without_guidance_or_always_guided(path: Path) -> None:
    fixture = fixtures.read(path)
    plain, guided = fixture.facts["plain"], fixture.facts["cfg"]
    for name, sampling in (
        ("plain", Sampling(plain["steps"], 0, ALWAYS, plain["rescale_t"])),
        ("cfg", Sampling(guided["steps"], guided["cfg_strength"], ALWAYS, guided.get("rescale_t", 1.0))),
    ):
        found = sample(dense(fixture, [], []), fixture.input("noise"), sampling, nobody)
        fixtures.assert_close(found, fixture.output(f"{name}.samples"))
