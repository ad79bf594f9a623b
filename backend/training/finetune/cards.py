# SPDX-License-Identifier: GPL-3.0-or-later
"""What fine-tuning costs, as lines for people: counted bytes and operations, and estimated hours on some cards.

Hours are estimates: operations over a share of the card's published peak, which no measurement confirms.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..norld.objects import MOST_VOXELS
from .cost import VOXELS, StepCost

SHARE = 0.3
"""Of the published peak that the estimates assume."""

RESERVE = 1 << 30
"""Bytes of a card for its driver, for what layers hold only while they compute, and for gaps."""

_GIGA, _TERA = 1e9, 1e12


@dataclass(frozen=True)
class Card:
    """A class of memory with a card that has it. Peaks as published, in TFLOP/s, without sparsity.

    half: bfloat16 with sums in float32. single: float32.
    """

    gigabytes: int
    name: str
    half: float
    single: float


CARDS = (
    Card(24, "GeForce RTX 4090", 165.2, 82.6),
    Card(48, "RTX 6000 Ada", 364.2, 91.1),
    Card(80, "H100 SXM", 989.4, 66.9),
    Card(141, "H200", 989.4, 66.9),
)


@dataclass(frozen=True)
class FlowBill:
    """What a flow model's steps take. usual, largest: a step with usual objects, and with the largest that are used."""

    name: str
    steps: int
    batch: int
    usual: StepCost
    largest: StepCost


@dataclass(frozen=True)
class ObjectsBill:
    """What preparing takes. operations, bytes: of one object; its mesh's own 12 bytes a vertex and triangle apart."""

    count: int
    views: int
    feature_views: int
    operations: float
    bytes: int


def lines(flows: Sequence[FlowBill], objects: ObjectsBill) -> Iterator[str]:
    """The whole bill. A network in float32 is looked at as if cards had no faster units for it."""
    for flow in flows:
        yield from _of_flow(flow)
    disk = sum(18 * flow.usual.values for flow in flows) / _GIGA
    widest = max(16 * flow.usual.values for flow in flows) / _GIGA
    yield (
        f"meshes: {objects.count}; for each {objects.views} views of normals and {objects.feature_views} of its "
        f"colours, {objects.operations / _TERA:.0f} TFLOP, {objects.bytes / 1e6:.1f} MB"
    )
    yield (
        f"disk: {objects.count * objects.bytes / _GIGA:.1f} GB for the objects, {disk:.1f} GB for checkpoints and "
        f"networks, and {widest:.1f} GB more while a checkpoint is written; the computer's own memory: {widest:.1f} GB"
    )
    yield ""
    names = [flow.name for flow in flows]
    yield f"| card | {' | '.join(names)} | preparing, hours | training, hours |"
    yield "| --- " * (len(names) + 3) + "|"
    for card in CARDS:
        yield _of_card(card, flows, objects)
    yield ""
    yield f"Hours and seconds are estimates, at {SHARE:.0%} of each card's published peak; all else is counted."


def hours(operations: float, peak: float) -> float:
    """How long so many operations take at the assumed share of a peak in TFLOP/s."""
    return operations / (SHARE * peak * _TERA) / 3600


def _of_flow(flow: FlowBill) -> Iterator[str]:
    usual, largest = flow.usual, flow.largest
    yield (
        f"{flow.name}: {usual.values / 1e6:.1f} million values; weights, masters, average and moments "
        f"{usual.resting / _GIGA:.1f} GB, gradients {usual.item * usual.values / _GIGA:.1f} GB"
    )
    kept = [usual.blocks * usual.kept, usual.blocks * usual.again + usual.kept]
    operations = usual.operations(0), usual.operations(usual.blocks) - usual.operations(0)
    yield (
        f"    {flow.steps} steps of {flow.batch} objects of {VOXELS} voxels, {operations[0] / _TERA:.0f} TFLOP a step; "
        f"for the gradients blocks keep {kept[0] / _GIGA:.1f} GB, {kept[1] / _GIGA:.1f} GB if all are computed again, "
        f"which adds {operations[1] / _TERA:.0f} TFLOP; layers around them keep {usual.around / _GIGA:.1f} GB"
        + (f", a look at normals {usual.look / _GIGA:.1f} GB" if usual.look else "")
    )
    yield (
        f"    at least {(largest.most(largest.blocks) + RESERVE) / _GIGA:.1f} GB of the card's memory, with objects of "
        f"up to {MOST_VOXELS} voxels; {(largest.most(0) + RESERVE) / _GIGA:.1f} GB if nothing is computed again"
    )


def _of_card(card: Card, flows: Sequence[FlowBill], objects: ObjectsBill) -> str:
    cells: list[str] = []
    training: float | None = 0.0
    for flow in flows:
        again = flow.largest.recomputed(int(card.gigabytes * _GIGA) - RESERVE)
        if again is None:
            cells.append("does not fit")
            training = None
            continue
        took = hours(flow.usual.operations(again), card.half if flow.usual.item == 2 else card.single)
        cells.append(f"{again} of {flow.usual.blocks} blocks again, {3600 * took:.1f} s a step")
        training = None if training is None else training + flow.steps * took
    preparing = hours(objects.count * objects.operations, card.single)
    last = "-" if training is None else f"{training:.2f}"
    return f"| {card.gigabytes} GB ({card.name}) | {' | '.join(cells)} | {preparing:.2f} | {last} |"
