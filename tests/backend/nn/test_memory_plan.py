# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks share a device by a plan that is made in advance, and by a smaller one if memory runs out."""

import logging
import threading
import weakref
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import nn

from backend.engines.hi3dgen.networks import networks
from backend.errors import UserError
from backend.nn import memory_plan
from backend.nn.device import Compute, choose, is_device_lost, is_out_of_memory, memory_of, release
from backend.nn.memory_plan import PLANS, MemoryPlan, Network, NetworkPool, choose_plan, read_ahead

CPU = Compute(torch.device("cpu"), torch.float32)
HALF = Compute(torch.device("cpu"), torch.float16)
GIB = 1 << 30


def linear(label: str = "line", values: int = 10, works: tuple[int, int] = (0, 0)) -> Network:
    return Network(
        label,
        values,
        works,
        files=list,
        load=lambda: nn.Linear(2, 2),
        place=lambda network, compute, _: network.to(compute.device, compute.dtype),
    )


@pytest.mark.parametrize(("gib", "plan"), [(24, 0), (16, 0), (10, 0), (8, 1), (6, 1), (4, 2), (2, 2)], ids=str)
def test_the_plan_for_a_card(gib: int, plan: int) -> None:
    """In half precision; half a gigabyte of the card is kept free."""
    assert choose_plan(networks(), HALF, gib * GIB) is PLANS[plan]


def test_all_networks_fit_into_10_gib_and_each_into_6() -> None:
    weight = {name: network.weight(HALF) for name, network in networks().items()}
    work = {name: network.work(HALF, 28_600) for name, network in networks().items()}
    assert sum(weight.values()) + max(work.values()) < 10 * GIB
    assert max(weight[name] + work[name] for name in weight) < 6 * GIB


def test_single_precision_takes_twice_as_much() -> None:
    network = networks()["latent flow"]
    assert network.weight(CPU) == 2 * network.weight(HALF)
    assert network.work(CPU, 1000) == 2 * network.work(HALF, 1000)
    tokenizer = networks()["tokenizer"]
    assert tokenizer.weight(CPU) == tokenizer.weight(HALF)


def test_a_huge_object_gets_a_smaller_plan_in_advance() -> None:
    everything = {"a": linear(values=GIB), "b": linear(works=(0, 40_000))}
    memory = 8 * GIB
    assert choose_plan(everything, CPU, memory) is PLANS[1]
    assert choose_plan(everything, CPU, memory, name="b", voxels=1000) is PLANS[0]
    assert choose_plan(everything, CPU, memory, name="b", voxels=100_000) is PLANS[2]


def planned(monkeypatch: pytest.MonkeyPatch, plan: int, *names: str) -> NetworkPool:
    def choose(*_: object, **__: object) -> MemoryPlan:
        return PLANS[plan]

    monkeypatch.setattr(memory_plan, "choose_plan", choose)
    return NetworkPool({name: linear(name) for name in names})


@pytest.mark.parametrize(("gib", "together"), [(24, 4), (8.5, 4), (8, 3), (4, 1), (1, 1)])
def test_as_many_seeds_go_together_as_there_is_room_for(
    monkeypatch: pytest.MonkeyPatch, gib: float, together: int
) -> None:
    """The work takes 2 GiB a seed, and half a gigabyte stays free."""

    def memory_of(_: torch.device) -> int:
        return int(gib * GIB)

    monkeypatch.setattr(memory_plan, "memory_of", memory_of)
    pool = NetworkPool({"a": linear(works=(0, 1000))})
    plan, _ = pool.run("a", CPU, lambda _, plan: plan, voxels=(2 * GIB) // 4000)
    assert plan.together == together


def test_resident_networks_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = planned(monkeypatch, 0, "a", "b")
    seen: list[Any] = []
    for name in ("a", "b", "a"):
        pool.run(name, CPU, lambda network, _: seen.append(network))
    assert seen[0] is seen[2]
    assert seen[0] is not seen[1]


def test_networks_that_are_not_resident_leave_for_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = planned(monkeypatch, 1, "a", "b")
    first, _ = pool.run("a", CPU, lambda network, _: weakref.ref(network))
    assert first() is not None
    pool.run("b", CPU, lambda _, __: None)
    assert first() is None


def test_another_precision_loads_the_networks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = planned(monkeypatch, 0, "a")
    before, _ = pool.run("a", CPU, lambda network, _: network.weight.dtype)
    after, _ = pool.run("a", HALF, lambda network, _: network.weight.dtype)
    assert (before, after) == (torch.float32, torch.float16)


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), MemoryError(), RuntimeError("MPS backend out of memory")]
)
def test_if_memory_runs_out_the_work_is_repeated_by_a_smaller_plan_with_a_note(
    monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    pool = planned(monkeypatch, 0, "a")
    plans: list[MemoryPlan] = []

    def work(_: object, plan: MemoryPlan) -> str:
        plans.append(plan)
        if len(plans) < 3:
            raise error
        return "done"

    result, notes = pool.run("a", CPU, work)
    assert (result, plans) == ("done", list(PLANS))
    assert len(notes) == 2
    assert all("Memory ran out" in note for note in notes)
    assert pool.run("a", CPU, lambda _, plan: plan)[0] is PLANS[2], "the smaller plan is kept"


def test_if_the_smallest_plan_does_not_fit_the_job_fails_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pool = planned(monkeypatch, 0, "a")
    with pytest.raises(UserError) as caught, caplog.at_level(logging.ERROR):
        pool.run("a", CPU, lambda _, __: (_ for _ in ()).throw(torch.OutOfMemoryError("out of memory: 3 GiB")))
    assert caught.value.code == "out-of-memory"
    assert "3 GiB" in caplog.text
    assert pool.run("a", CPU, lambda _, __: "again")[0] == "again", "the next job runs"


def test_other_errors_pass_through(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = planned(monkeypatch, 0, "a")
    for error in (ValueError("x"), RuntimeError("shapes do not match"), UserError("a", "b", "c")):
        with pytest.raises(type(error)) as caught:
            pool.run("a", CPU, lambda _, __, error=error: (_ for _ in ()).throw(error))
        assert caught.value is error


def test_a_lost_device_and_a_full_one_are_different_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    gone = RuntimeError("CUDA error: unspecified launch failure")
    full = torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
    assert is_device_lost(gone)
    assert not is_out_of_memory(gone)
    for each in (full, RuntimeError("CUDA error: out of memory")):
        assert is_out_of_memory(each)
        assert not is_device_lost(each)
    pool = planned(monkeypatch, 0, "a")
    with pytest.raises(UserError) as caught:
        pool.run("a", CPU, lambda _, __: (_ for _ in ()).throw(gone))
    assert caught.value.code == "device-lost"


@pytest.mark.parametrize("says", ["HIP error: unspecified", "level_zero backend failed: UR_RESULT_ERROR_DEVICE_LOST"])
def test_every_makers_lost_device_is_known(says: str) -> None:
    assert is_device_lost(RuntimeError(says))


def test_a_lost_device_has_no_memory_to_give_back(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError(trouble)

    monkeypatch.setattr(torch.cuda, "empty_cache", fail)
    trouble = "CUDA error: an illegal memory access was encountered"
    release(torch.device("cuda"))
    trouble = "something else"
    with pytest.raises(RuntimeError, match="something else"):
        release(torch.device("cuda"))


def test_released_networks_are_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    pool = planned(monkeypatch, 0, "a")
    first, _ = pool.run("a", CPU, lambda network, _: weakref.ref(network))
    pool.release()
    assert first() is None
    assert pool.plan is None
    assert pool.run("a", CPU, lambda network, _: network is not None)[0]


def test_the_next_networks_files_are_read_ahead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    read: list[object] = []
    monkeypatch.setattr(memory_plan, "read_ahead", read.append)
    pool = planned(monkeypatch, 0, "a", "b")
    pool.run("a", CPU, lambda _, __: None, following="b")
    pool.run("b", CPU, lambda _, __: None)
    pool.run("a", CPU, lambda _, __: None, following="b")
    assert len(read) == 1, "a network on the device is not read again"


def test_reading_ahead_reads_and_ends(tmp_path: Path) -> None:
    there = tmp_path / "weights"
    there.write_bytes(bytes(1 << 20))
    for files in ([there], [tmp_path / "absent"]):
        thread = read_ahead(files)
        thread.join(20)
        assert not thread.is_alive()
    assert "read ahead" not in [thread.name for thread in threading.enumerate()]


def test_a_device_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HI3DGEN_DEVICE", "cpu")
    assert choose() == CPU
    assert choose("bfloat16").dtype == torch.bfloat16
    assert memory_of(torch.device("cpu")) > 0
    for name in ("cuda:77", "banana", "meta", "hpu"):
        monkeypatch.setenv("HI3DGEN_DEVICE", name)
        with pytest.raises(UserError) as caught:
            choose()
        assert caught.value.code == "no-such-device"
        assert name in caught.value.sentence
