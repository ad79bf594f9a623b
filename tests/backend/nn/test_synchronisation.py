# SPDX-License-Identifier: GPL-3.0-or-later
"""Between the steps of sampling nothing waits for the device: the processor queues them, and the device is never idle.

On a GPU torch itself reports it. Elsewhere the operations are counted whose result the processor needs: a single
number, or a tensor whose size depends on values; and the operations that copy numbers from the processor.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn import sparse_conv
from backend.nn.sampler import Sampling, Velocity, sample
from backend.nn.sparse import Voxels

WAITING = {"_local_scalar_dense", "nonzero", "unique_dim", "_unique2", "masked_select", "lift_fresh"}
SAMPLING = Sampling(4)


class Waits(TorchDispatchMode):
    """Counts the operations that would wait for a GPU."""

    def __init__(self) -> None:
        super().__init__()
        self.found: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = str(func).split(".")[1]
        chosen = args[1] if name in {"index", "index_put_"} else []
        if name in WAITING or any(rows is not None and rows.dtype == torch.bool for rows in chosen):
            self.found[name] += 1
        return func(*args, **(kwargs or {}))


def no_report(step: int, of: int) -> None:
    """Ignores the progress."""


def structure(device: str) -> tuple[Velocity[Tensor], Tensor]:
    flow = StructureFlow(StructureFlowConfig(4, 3, 3, 12, 6, 2, 2, qk_rms_norm=True)).to(device).eval()
    return flow.bound_to(torch.randn(1, 5, 6, device=device)), torch.randn(1, 3, 4, 4, 4, device=device)


def latents(device: str) -> tuple[Velocity[Tensor], Tensor]:
    config = LatentFlowConfig(8, 3, 3, 12, 6, 2, 2, io_block_channels=[5], qk_rms_norm=True)
    flow = LatentFlow(config).to(device).eval()
    for parameter in flow.parameters():
        parameter.data.fill_(0.01)
    coords = torch.cartesian_prod(*[torch.arange(8)] * 3)[::3]
    both = torch.cat([torch.cat([torch.full((len(coords), 1), item), coords], dim=1) for item in (0, 1)])
    voxels = Voxels(both.int().to(device))
    return flow.bound_to(torch.randn(1, 5, 6, device=device), voxels), torch.randn(len(voxels), 3, device=device)


def test_waiting_is_counted() -> None:
    x = torch.arange(4)
    with Waits() as waits:
        x.sum().item()
        x[x > 1].tolist()
        x[torch.tensor([True, False, False, True])] = 0
        assert x[0] == 0
    assert waits.found["_local_scalar_dense"] == 2
    assert waits.found["index"] == waits.found["index_put_"] == 1
    assert waits.found["lift_fresh"] > 0


@pytest.mark.parametrize("model", [structure, latents])
@torch.inference_mode()
def test_no_step_waits(
    model: Callable[[str], tuple[Velocity[Tensor], Tensor]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_conv, "sum_present", sparse_conv.sum_at_once)  # as on other devices than a CPU
    velocity, noise = model("cpu")
    velocity(noise, 1.0, conditional=True)  # finds neighbours, cells and windows, once for the voxels
    with Waits() as waits:
        sample(velocity, noise, SAMPLING, no_report)
    assert waits.found == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("model", [structure, latents])
@torch.inference_mode()
def test_no_step_waits_for_a_gpu(model: Callable[[str], tuple[Velocity[Tensor], Tensor]]) -> None:
    velocity, noise = model("cuda")
    velocity(noise, 1.0, conditional=True)
    torch.cuda.set_sync_debug_mode("error")
    try:
        sample(velocity, noise, SAMPLING, no_report)
    finally:
        torch.cuda.set_sync_debug_mode("default")
