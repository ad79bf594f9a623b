# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the zero123 engine: each brings its networks to the device and returns its result in numpy."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ...arrays import Float32Array
from ...flow.products import Cutout, Noted, Report, Views, noted
from ...flow.settings import Settings
from ...models.view_pictures import opaque, rounded
from ...models.zero123 import Conditions, Eye, Move, decode, look, sample
from ...nn.checks import require_finite
from ...nn.ddim import schedule_of
from ...nn.device import choose
from ...nn.memory_plan import MemoryPlan
from ...nn.noise import drawn_by
from ...nn.runner import Runner
from ...nn.watching import part
from ...texture.camera import distance_to, orbit
from ...weights import store
from ...weights.catalogue import VIEW_BY_MOVE
from .cost import operations
from .networks import networks, share
from .pictures import FILLED, to_pixels

FIELD_OF_VIEW = 49.134
"""Degrees: a lens of 35 mm before 32 mm, with which the objects that the network learned from were drawn."""
DISTANCE = distance_to(FILLED, FIELD_OF_VIEW)
"""Metres, of the picture's camera: it sees an object of a metre as large as the network is shown it."""


@dataclass(frozen=True)
class Seen:
    """What the networks know of the picture and the move, see `Conditions`; both float32."""

    token: Float32Array
    latent: Float32Array

    def conditions(self) -> Conditions:
        """The same as tensors."""
        return Conditions(torch.from_numpy(self.token), torch.from_numpy(self.latent))


class Stages:
    """The engine's stages, with the networks that they share. They belong to one thread."""

    def __init__(self) -> None:
        self._runner = Runner(networks(), partial(store.revisions, [VIEW_BY_MOVE]))
        self.place: Callable[[], str] = self._runner.place
        self.unload: Callable[[], None] = self._runner.unload

    def seconds(self, stage: str, settings: Settings) -> float | None:
        """How many seconds a stage will about take; None on a fast device."""
        steps = int(settings["steps"])
        return self._runner.seconds(lambda: operations(stage, steps) * share(), str(settings["precision"]))

    def look(
        self,
        cutout: Cutout,
        *,
        azimuth: float,
        elevation: float,
        distance: float,
        steps: int,
        precision: str,
        report: Report,
    ) -> Seen | Noted:
        """What the networks see of the cut-out, and the move. Raises UserError if this device would take too long."""
        self._runner.require_speed(lambda: operations("views", steps) * share(), precision)
        notes: list[str] = []

        def work(eye: Eye, _plan: MemoryPlan, _report: Report) -> Seen:
            seen = look(eye, to_pixels(cutout), Move(-elevation, azimuth, distance))
            found = (require_finite(each, "network that reads the picture") for each in (seen.token, seen.latent))
            return Seen(*(tensor.numpy() for tensor in found))

        seen = self._runner.use("eye", choose(precision), work, report, notes, following="painter")
        report(1, 1)
        return noted(seen, notes)

    def views(
        self,
        seen: Sequence[Seen],
        *,
        seeds: Sequence[int],
        azimuth: float,
        elevation: float,
        distance: float,
        steps: int,
        guidance: float,
        fresh_noise: float,
        precision: str,
        report: Report,
    ) -> list[Views | Noted]:
        """The view for each seed, in front of white."""
        compute, notes = choose(precision), list[str]()
        schedule = schedule_of(steps, fresh_noise)
        conditions = seen[0].conditions()
        camera = orbit(azimuth, elevation, DISTANCE + distance, FIELD_OF_VIEW)

        def paint(unet: Any, plan: MemoryPlan, report: Report) -> list[Tensor]:  # noqa: ANN401
            return [
                sample(
                    unet,
                    conditions,
                    schedule,
                    drawn_by(seed),
                    part(report, number, number + 1, len(seeds)),
                    guidance=guidance,
                    together=not plan.apart,
                )
                for number, seed in enumerate(seeds)
            ]

        def develop(eye: Eye, _: MemoryPlan, report: Report) -> list[Views]:
            made: list[Views] = []
            for latent in latents:
                report(len(made), len(latents))
                pixels = require_finite(decode(eye.vae, latent), "decoder of the view")
                made.append(Views(opaque(rounded(pixels)), (camera,)))
            return made

        latents = self._runner.use("painter", compute, paint, part(report, 0, 19, 20), notes, following="eye")
        made = self._runner.use("eye", compute, develop, part(report, 19, 20, 20), notes)
        report(1, 1)
        return [noted(views, notes) for views in made]
