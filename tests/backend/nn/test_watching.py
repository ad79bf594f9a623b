# SPDX-License-Identifier: GPL-3.0-or-later
"""Progress is reported between a network's operations, and a job can be cancelled there."""

from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.errors import Cancelled
from backend.nn.watching import repeating

NETWORK = nn.Sequential(*(nn.Linear(4, 4) for _ in range(5)))


def test_the_last_report_is_repeated_between_operations() -> None:
    reported: list[tuple[int, int]] = []
    with repeating(lambda step, of: reported.append((step, of)), pause=0) as report:
        NETWORK(torch.ones(2, 4))
        assert reported == []  # nothing to repeat yet
        report(3, 7)
        NETWORK(torch.ones(2, 4))
    assert set(reported) == {(3, 7)}
    assert len(reported) >= 1 + 5
    reported.clear()
    NETWORK(torch.ones(2, 4))
    assert reported == []


def test_it_pauses_between_repetitions() -> None:
    reported: list[tuple[int, int]] = []
    with repeating(lambda step, of: reported.append((step, of)), pause=3600) as report:
        report(0, 1)
        NETWORK(torch.ones(2, 4))
        report(1, 1)
    assert reported == [(0, 1), (1, 1)]


def test_a_cancel_ends_the_network_in_the_middle() -> None:
    finished: list[int] = []
    network = nn.Sequential(*(nn.Linear(4, 4) for _ in range(5)))

    def note(layer: nn.Module, given: tuple[Any, ...], output: Tensor) -> None:
        finished.append(1)

    for layer in network:
        layer.register_forward_hook(note)

    def cancel(step: int, of: int) -> None:
        if len(finished) == 2:
            raise Cancelled

    with repeating(cancel, pause=0) as report:
        report(0, 1)
        with pytest.raises(Cancelled):
            network(torch.ones(2, 4))
    assert len(finished) == 2


def test_results_are_the_same_to_the_bit() -> None:
    x = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    reported: list[tuple[int, int]] = []
    with torch.inference_mode(), repeating(lambda step, of: reported.append((step, of)), pause=0) as report:
        report(0, 1)
        watched = NETWORK(x)
    assert torch.equal(watched, NETWORK(x))
