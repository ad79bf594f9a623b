# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow models as tasks of the training loop, with the normal regularisation of the latents' one."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from ...errors import UserError
from ...models.latent_flow import LatentFlow, LatentFlowConfig
from ...models.structure_flow import StructureFlow, StructureFlowConfig
from ...nn.checkpoint import load_network
from ...nn.sparse import Voxels
from ..core.curve import Quantity
from ..core.devices import Devices
from ..core.schedule import STAGES, Schedule
from ..core.state import State
from ..core.task import Moment
from .balancing import balanced
from .config import FlowConfig, Regularisation
from .export import write_network
from .flow_matching import Draws, Matched, match
from .held_out import HeldOut
from .memory import recompute_within
from .normal_regularisation import FrozenDecoder, Strength, Target, normal_loss, weight_at
from .objects import MOST_VOXELS, Batch, Item, Objects

Flow = StructureFlow | LatentFlow

_TRIES = 100  # of reading an object for each in a batch, of which those with too many voxels are left out


@dataclass(frozen=True)
class FlowTask:
    """A configuration's training: a `core.task.TrainingTask`.

    objects: all of the folder's. decoder: with it the normals count, too, which are compared after it. start: the
    stem of published weights to start from, NAME of NAME.json and NAME.safetensors.
    """

    config: FlowConfig
    objects: Objects
    seed: int = 1
    decoder: FrozenDecoder | None = None
    start: Path | None = None

    def __post_init__(self) -> None:
        if len(self.objects.names) <= self.config.held_out:
            sentence = f"{len(self.objects.names)} objects are too few: {self.config.held_out} are held out."
            raise UserError("few-objects", sentence, "Put more objects into the folder.")

    @cached_property
    def strength(self) -> Strength:
        """How strongly the normals count, as far as it was found."""
        return Strength(self.config.regularisation.share, self.config.regularisation.measured)

    @property
    def name(self) -> str:
        """The configuration's name."""
        return self.config.name

    @property
    def schedule(self) -> Schedule:
        """The configuration's schedule."""
        return self.config.schedule

    @property
    def quantity(self) -> Quantity:
        """The flow's mean square error."""
        return Quantity("flow", "", "held out, {}")

    @property
    def frozen(self) -> tuple[str, ...]:
        """No stage freezes anything."""
        return ()

    def make_network(self, *, fresh: bool) -> nn.Module:
        """Make the network in float32, with the weights of `start` if it is fresh. Raises `UserError`."""
        network = flow_of(self.config.network)
        if fresh and self.start is not None:
            network.load_state_dict(self._started(self.start).state_dict())
        return network

    def batches(self, start: Moment) -> Iterator[Batch]:
        """Yield batches from a step on, without end: objects and views are drawn anew for each.

        All processes draw the same objects for all of them, and each takes its share: as many as the others, with
        about as many voxels. Raises `UserError` if an object is damaged, or if nearly all have too many voxels.
        """
        step = start.step
        while True:
            random = np.random.default_rng((self.seed, STAGES.index(start.stage), 0, step))
            drawn = self._drawn(random, self.config.batch * start.shares)
            shares = balanced([voxels for _, _, voxels in drawn], start.shares, self.config.batch)
            own = [drawn[index] for index in sorted(shares[start.share])]
            placed = self.decoder is not None
            yield Batch([self.objects.read(name, view, placed=placed) for name, view, _ in own])
            step += 1

    def loss(self, network: nn.Module, batch: Batch, moment: Moment) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Return the flow's loss of a batch or of a part of it, with the normals' if there is a decoder.

        Measured: the flow's loss alone; the normals' error, 0 if none were looked at; how many looks there were.
        """
        flow = cast("Flow", network)
        data, voxels = batch.data, batch.voxels
        if self.config.budget is not None:
            recompute_within(flow, _lengths(flow, batch), batch.tokens.shape[1], self.config.budget)
        entropy = np.random.SeedSequence((self.seed, moment.step, moment.share, batch.number))
        torch_seed, numpy_seed, views_seed = entropy.generate_state(3).tolist()
        generator = torch.Generator().manual_seed(torch_seed)
        random = np.random.default_rng(numpy_seed)
        draws = Draws.of(data.shape, len(batch), self.config.times, self.config.p_uncond, generator, random)
        draws = draws.to(data.device)
        found = match(flow, data, batch.tokens, draws, voxels)
        plain = found.loss.detach()
        if self.decoder is None or voxels is None:
            return found.loss, {"flow": plain}
        views = np.random.default_rng(views_seed)
        term = self._normals(flow, batch, found, draws, voxels, views, moment)
        if term is None:
            return found.loss, {"flow": plain, "normals": torch.zeros_like(plain), "looks": torch.zeros_like(plain)}
        error, weight = term
        factor = self.strength.factor(found.loss, weight * error, flow.out_layer.weight)
        measured = {"flow": plain, "normals": error.detach().to(plain.dtype), "looks": torch.ones_like(plain)}
        return found.loss + factor * weight * error, measured

    def held_out(self, folder: Path) -> HeldOut:  # noqa: ARG002  nothing is kept in it
        """The objects that nothing is learned from. Raises `UserError` if each has too many voxels."""
        names = self.objects.names[len(self.objects.names) - self.config.held_out :]
        items = [self.objects.read(name, 0.0) for name in names if self.objects.voxels(name) <= MOST_VOXELS]
        if not items:
            sentence = f"All held-out objects in {self.objects.folder} have more than {MOST_VOXELS} voxels."
            raise UserError("few-objects", sentence, "Put smaller objects into the folder.")
        return HeldOut(items)

    def export(self, path: Path, state: State) -> None:
        """Write the average as the published files are, NAME.json and NAME.safetensors, in half precision."""
        write_network(path.with_suffix(""), kind_of(self.config.network), self.config.network, state.average)

    def remembered(self, place: Devices) -> dict[str, Any]:
        """End a step, for all processes alike; returns what `recall` takes."""
        if self.decoder is not None:  # else nothing was found, and no process waits for the others
            self.strength.agree(place.together)
        return {"strength": self.strength.remembered()}

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Go on where another left off."""
        self.strength.recall(kept["strength"])

    def _drawn(self, random: np.random.Generator, count: int) -> list[tuple[str, float, int]]:
        """So many objects to learn from: name, view in [0, 1), voxels. Raises `UserError` if most have too many."""
        names = self.objects.names[: -self.config.held_out or None]
        found: list[tuple[str, float, int]] = []
        for _ in range(_TRIES * count):
            name, view = names[random.integers(len(names))], random.random()
            voxels = self.objects.voxels(name)
            found += [(name, view, voxels)] if voxels <= MOST_VOXELS else []
            if len(found) == count:
                return found
        sentence = f"Nearly all objects in {self.objects.folder} have more than {MOST_VOXELS} voxels."
        raise UserError("few-objects", sentence, "Put smaller objects into the folder.")

    def _started(self, stem: Path) -> Flow:
        """The network of published weights. Raises `UserError` if it is not of the configuration's sizes."""
        config = self.config.network

        def build(**sizes: Any) -> Flow:  # noqa: ANN401  a description's
            return flow_of(type(config)(**sizes))

        given = load_network(stem, kind_of(config), build)
        if _sizes(replace(given.config, use_fp16=False)) != _sizes(config):
            raise UserError(
                "bad-start",
                f"The network {stem} has other sizes than the configuration “{self.name}”.",
                "Choose the configuration of its sizes, or other weights.",
            )
        return given

    def _normals(
        self,
        network: Flow,
        batch: Batch,
        found: Matched,
        draws: Draws,
        voxels: Voxels,
        random: np.random.Generator,
        moment: Moment,
    ) -> tuple[Tensor, float] | None:
        """The error of one object's normals, and the weight of its time; None if no object is early enough."""
        chosen = self.config.regularisation
        if chosen.every is None:
            early = [(t, i) for i, t in enumerate(draws.times.tolist()) if not bool(draws.dropped[i])]
            t, index = min(early, default=(1.0, 0))
            latents = found.data[voxels.items()[index]]
        else:
            if moment.step % chosen.every or batch.number:
                return None
            index, t = int(random.integers(len(batch))), float(random.uniform(0, chosen.latest))
            latents = self._clean(network, batch.items[index], t, random)
        if t >= chosen.latest or self.decoder is None:
            return None
        alone = Batch([batch.items[index]])
        if alone.voxels is None:
            return None
        error = normal_loss(self.decoder, latents, alone.voxels, targets_of(alone.items[0], chosen, random))
        return None if error is None else (error, weight_at(t, chosen.latest))

    def _clean(self, network: Flow, item: Item, t: float, random: np.random.Generator) -> Tensor:
        """What the network takes for the clean latents of one object at time `t`."""
        generator = torch.Generator().manual_seed(int(random.integers(2**31)))
        noise = torch.randn(item.data.shape, generator=generator).to(item.data.device)
        draws = Draws(noise, torch.tensor([t], device=noise.device), torch.tensor([False], device=noise.device))
        alone = Batch([item])
        return match(network, alone.data, alone.tokens, draws, alone.voxels).data


def targets_of(item: Item, chosen: Regularisation, random: np.random.Generator) -> list[Target]:
    """The condition's view of an object, and sometimes another one of its views; none if it has no mesh."""
    if item.placed is None:
        return []
    views = [item.view]
    others = [view for view in range(len(item.placed.extrinsics)) if view != item.view]
    if others and random.random() < chosen.other_view:
        views.append(others[random.integers(len(others))])
    return [item.placed.target(view, chosen.size) for view in views]


def _lengths(flow: Flow, batch: Batch) -> list[int]:
    """How many tokens each object is for the transformer."""
    if isinstance(flow, StructureFlow):
        return [(flow.config.resolution // flow.config.patch_size) ** 3] * len(batch)
    return [] if batch.voxels is None else batch.voxels.cells.lengths


def flow_of(config: StructureFlowConfig | LatentFlowConfig) -> Flow:
    """The flow model of these sizes, untrained."""
    return StructureFlow(config) if isinstance(config, StructureFlowConfig) else LatentFlow(config)


def kind_of(config: StructureFlowConfig | LatentFlowConfig) -> str:
    """What a network of this kind is called in published descriptions."""
    return "SparseStructureFlowModel" if isinstance(config, StructureFlowConfig) else "SLatFlowModel"


def _sizes(config: StructureFlowConfig | LatentFlowConfig) -> dict[str, Any]:
    """A configuration's sizes, with tuples as lists, which is how a description has them."""
    return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(config).items()}
