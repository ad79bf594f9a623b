# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of a batch, recomputed blocks and skipped steps change what they should, and nothing else."""

import copy
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from backend.models.latent_flow import LatentFlow
from backend.nn.transformer import DiffusionTransformer
from backend.training.core.devices import Devices
from backend.training.core.schedule import Schedule, TrainingStage
from backend.training.core.state import State
from backend.training.norld import flow_matching
from backend.training.norld.balancing import balanced
from backend.training.norld.flow_matching import Draws, match
from backend.training.norld.memory import blocks_to_recompute, kept_bytes, recompute_within
from backend.training.norld.objects import Batch, Item
from backend.training.norld.step import StepSettings
from tests.backend.training.norld.tiny import flow, shell, voxels_of
from tests.backend.training.ranks import run_two

ALONE = Devices(torch.device("cpu"))


def batch_of(count: int) -> Batch:
    generator = torch.Generator().manual_seed(1)
    coords = shell(4, 0.4)[:12]
    items = [
        Item(torch.randn(12, 3, generator=generator), torch.randn(5, 8, generator=generator), 0, coords)
        for _ in range(count)
    ]
    return Batch(items)


def loss(network: nn.Module, batch: Batch, moment: object) -> tuple[Tensor, Mapping[str, Tensor]]:
    """The flow's, with noise and times that depend on each object alone."""
    assert isinstance(network, LatentFlow)
    times = torch.stack([item.tokens.abs().mean() / 2 for item in batch.items])
    draws = Draws(batch.data.flip(1), times, torch.zeros(len(batch), dtype=torch.bool))
    return match(network, batch.data, batch.tokens, draws, batch.voxels).loss, {}


def stepped(
    settings: StepSettings, batch: Batch, spoil: float = 1.0, place: Devices = ALONE
) -> tuple[State, Mapping[str, Tensor]]:
    network = flow()
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-3)
    state = State("trunk", network, copy.deepcopy(network), optimizer, 0, 0, None, 0)
    schedule = Schedule({"trunk": TrainingStage(None, 1e-3)}, average=0.5, log=1, check=1)

    def spoiled(*given: Any) -> tuple[Tensor, Mapping[str, Tensor]]:
        found, more = loss(*given)
        return found * spoil, more

    task: Any = SimpleNamespace(schedule=schedule, loss=spoiled)
    return state, settings(task, state, place)(batch)


def test_parts_of_equal_size_are_one_batch() -> None:
    whole, once = stepped(StepSettings("fp32", 1), batch_of(4))
    parts, four = stepped(StepSettings("fp32", 3), Batch(batch_of(4).items))
    even, two = stepped(StepSettings("fp32", 2), batch_of(4))
    torch.testing.assert_close(once["norm"], two["norm"])
    torch.testing.assert_close(once["loss"], two["loss"])
    assert abs(float(four["norm"] - once["norm"])) > 1e-6  # parts of 2, 1 and 1: means of means
    assert whole.pictures == parts.pictures == even.pictures == 4


SHARED = """
import sys
import torch
from backend.training.core.devices import devices
from backend.training.norld.normal_regularisation import Strength
from backend.training.norld.objects import Batch
from backend.training.norld.step import StepSettings
from tests.backend.training.norld.test_step import batch_of, stepped
torch.set_num_threads(1)
place = devices()
share = Batch(batch_of(4).items[2 * place.index :][:2])
state, measured = stepped(StepSettings("fp32", 1), share, place=place)
strength, weights = Strength(0.1, 3), torch.ones(3, requires_grad=True)
for ratio in [[], [2.0, 3.0]][place.index]:
    strength.factor(ratio * weights.sum(), weights.sum(), weights)
strength.agree(place.together)
found = [state.pictures, measured["norm"], state.network.state_dict(), strength.remembered()]
torch.save(found, f"{sys.argv[1]}/{place.index}.pt")
"""


@pytest.mark.slow
def test_two_processes_take_the_step_of_one_batch_that_both_share(tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed here: the extra training has it")
    command = [sys.executable, "-c", SHARED, str(tmp_path)]
    assert run_two(command) == [0, 0]
    state, measured = stepped(StepSettings("fp32", 1), batch_of(4))
    for rank in range(2):
        pictures, norm, weights, strength = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert pictures == 4
        assert strength == [2.0, 3.0], "how strongly normals count is the same for both, whoever has looked at them"
        torch.testing.assert_close(norm, measured["norm"])
        torch.testing.assert_close(weights, dict(state.network.state_dict()))


def test_a_step_with_gradients_that_are_not_finite_is_skipped_and_the_scale_falls() -> None:
    settings = StepSettings("fp32", 1, 20.0)
    state, measured = stepped(settings, batch_of(2), torch.inf)
    before = flow()
    for (name, value), other in zip(before.named_parameters(), state.network.parameters(), strict=True):
        assert torch.equal(value, other), name
    assert measured["taken"] == 0
    assert state.kept["log_scale"] == 19
    assert state.step == 1
    assert state.kept["clip"]["norms"] == []
    with pytest.raises(ValueError, match="loss scale"):
        StepSettings("fp16")


def test_recomputed_blocks_have_the_same_gradients_and_keep_less() -> None:
    network, batch = flow(), batch_of(2)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2)

    def gradients() -> list[Tensor]:
        network.zero_grad()
        loss(network, batch, None)[0].backward()
        return [value.grad.clone() for value in network.parameters() if value.grad is not None]

    plain, kept = gradients(), kept_bytes(network, lambda: loss(network, batch, None)[0])
    assert recompute_within(network, [8, 8], 5, 10**9) == 0
    assert recompute_within(network, [8, 8], 5, 0) == len(network.blocks)
    again, less = gradients(), kept_bytes(network, lambda: loss(network, batch, None)[0])
    assert less < kept
    assert len(plain) == len(again)
    for one, other in zip(plain, again, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_blocks_keep_no_more_than_their_budget(dtype: torch.dtype) -> None:
    """With a CPU's attention in bfloat16 too, which keeps all scores."""
    network = DiffusionTransformer(64, 32, 6, 4, qk_rms_norm=True)
    network.compute_in(dtype)
    length, pictures = 512, 300
    h = torch.zeros(1, length, 64, dtype=dtype, requires_grad=True)
    time, contexts = network.time(torch.zeros(1)), network.contexts(torch.zeros(1, pictures, 32))
    shared = 6 * 2 * pictures * 64 * dtype.itemsize  # the contexts, which are kept in any case
    again = h.nbytes

    def kept(recomputed: int) -> int:
        network.recomputed = recomputed
        return kept_bytes(network, lambda: network.transform(h, time, contexts)) + recomputed * again

    whole = kept(0) - shared
    for share in (0.3, 0.5, 0.8):
        chosen = recompute_within(network, [length], pictures, int(share * whole))
        assert 0 < chosen < 6
        assert kept(chosen) - shared * (6 - chosen) // 6 <= 1.1 * share * whole
        assert kept(chosen - 1) - shared * (7 - chosen) // 6 > 0.9 * share * whole


@given(st.integers(1, 30), st.integers(1, 1000), st.integers(0, 30_000))
def test_no_more_blocks_are_recomputed_than_needed(blocks: int, kept: int, budget: int) -> None:
    count = blocks_to_recompute(blocks, kept, kept // 10, budget)

    def needed(again: int) -> int:
        return (blocks - again) * kept + again * (kept // 10)

    assert needed(count) <= budget or count == blocks
    assert count == 0 or needed(count - 1) > budget


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=12), st.integers(1, 4))
def test_groups_hold_every_object_once_and_are_balanced(loads: list[int], groups: int) -> None:
    found = balanced(loads, groups)
    assert sorted(index for group in found for index in group) == list(range(len(loads)))
    sums = [sum(loads[index] for index in group) for group in found]
    assert max(sums) - min(sums) <= max(loads)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_groups_of_equal_numbers_are_balanced_too(groups: int, most: int, data: st.DataObject) -> None:
    loads = data.draw(st.lists(st.integers(1, 1000), min_size=groups * most, max_size=groups * most))
    found = balanced(loads, groups, most)
    assert sorted(index for group in found for index in group) == list(range(len(loads)))
    assert [len(group) for group in found] == [most] * groups
    sums = [sum(loads[index] for index in group) for group in found]
    assert max(sums) - min(sums) <= max(loads)


@given(st.floats(0, 1), st.integers(0, 1000))
def test_the_true_velocity_leads_to_the_data(t: float, seed: int) -> None:
    data, noise = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    path, time = flow_matching.Path(), torch.tensor(t, dtype=torch.float64)
    state = path.state(data, noise, time)
    torch.testing.assert_close(path.data(state, path.velocity(data, noise), time), data)


def test_voxels_of_a_batch_follow_each_other() -> None:
    batch = batch_of(3)
    assert batch.voxels is not None
    assert torch.equal(batch.voxels.coords, voxels_of(shell(4, 0.4)[:12], 3).coords)
