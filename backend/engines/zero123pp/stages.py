# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the zero123pp engine: each brings its networks to the device and returns its result in numpy.

A seed's noise is drawn on the CPU in the published order, for the normals anew from the same seed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ...arrays import Float32Array
from ...flow.products import Cutout, Noted, Report, Views, noted
from ...flow.settings import Settings
from ...foreground.framing import MARGIN
from ...models.view_pictures import opaque, over, rounded, to_pixels
from ...models.zero123plus import Hint, Moments, Painter, contexts, decode, embed, encode
from ...models.zero123plus_pictures import (
    COLUMNS,
    GRAY,
    ROWS,
    SIDE,
    processed,
    sheet_of,
    views_of,
)
from ...models.zero123plus_sampling import Conditions, read_schedule, sample
from ...nn.checkpoint import read_description
from ...nn.checks import require_finite
from ...nn.device import choose
from ...nn.memory_plan import MemoryPlan
from ...nn.noise import drawn_by
from ...nn.runner import Runner
from ...nn.watching import part
from ...texture.camera import distance_to, orbit
from ...weights import store
from ...weights.catalogue import SIX_NORMALS, SIX_VIEWS
from .cost import operations
from .networks import Eye, networks, revisions, share

FIELD_OF_VIEW = 30.0
"""Degrees, of every view."""
_LATENT = 8  # pixels along a side of one of a latent's places
_SAMPLED = (0, 19, 20)  # the part of a stage's time that sampling takes
_DECODED = (19, 20, 20)

CAMERAS = tuple(
    orbit(30.0 + 60 * k, (20.0, -10.0)[k % 2], distance_to(1 / MARGIN, FIELD_OF_VIEW), FIELD_OF_VIEW)
    for k in range(ROWS * COLUMNS)
)
"""Of the views, beginning at the picture's right. They show an object of a metre as a cut-out is framed."""


@dataclass(frozen=True)
class Seen:
    """What the networks know of the picture, see `Conditions`; all float32."""

    contexts: Float32Array
    mean: Float32Array
    deviation: Float32Array

    def conditions(self) -> Conditions:
        """The same as tensors."""
        return Conditions(
            torch.from_numpy(self.contexts), Moments(torch.from_numpy(self.mean), torch.from_numpy(self.deviation))
        )


class Stages:
    """The engine's stages, with the networks that they share. They belong to one thread."""

    def __init__(self) -> None:
        self._runner = Runner(networks(), revisions)
        self.place: Callable[[], str] = self._runner.place
        self.unload: Callable[[], None] = self._runner.unload

    def seconds(self, stage: str, settings: Settings) -> float | None:
        """How many seconds a stage will about take; None on a fast device."""
        steps = int(settings["steps"])
        return self._runner.seconds(lambda: operations(stage, steps) * share(), str(settings["precision"]))

    def look(self, cutout: Cutout, *, steps: int, precision: str, report: Report) -> Seen | Noted:
        """What the networks see of the cut-out. Raises UserError if this device would take too long for the views."""
        self._runner.require_speed(lambda: operations("views", steps) * share(), precision)
        folder, notes = store.find(SIX_VIEWS), list[str]()
        picture = over(cutout.rgba, GRAY)

        def prepared(network: str) -> Tensor:
            path = folder / f"feature_extractor_{network}" / "preprocessor_config.json"
            return processed(picture, read_description(path), str(path))

        def work(eye: Eye, _plan: MemoryPlan, _report: Report) -> Seen:
            pixels = prepared("vae")
            latents = encode(eye.vae, torch.cat([torch.zeros_like(pixels), pixels]))
            context = contexts(eye.text, embed(eye.vision, prepared("clip")), eye.ramp)
            seen = (require_finite(tensor, "network that reads the picture") for tensor in (context, latents.mean))
            return Seen(*(tensor.numpy() for tensor in (*seen, latents.deviation)))

        seen = self._runner.use("eye", choose(precision), work, report, notes, following="painter")
        report(1, 1)
        return noted(seen, notes)

    def views(
        self, seen: Sequence[Seen], *, seeds: Sequence[int], steps: int, guidance: float, precision: str, report: Report
    ) -> list[Views | Noted]:
        """Six views for each seed, in front of gray."""
        hints: list[Hint | None] = [None] * len(seeds)
        return self._draw(seen[0], hints, seeds, steps, guidance, precision, report)

    def normal_views(
        self,
        seen: Sequence[Seen],
        views: Sequence[Views],
        *,
        seeds: Sequence[int],
        steps: int,
        guidance: float,
        precision: str,
        report: Report,
    ) -> list[Views | Noted]:
        """The normals of six views for each seed, as the network paints them.

        Raises UserError "weights-missing" if the network for them is not here.
        """
        store.find(SIX_NORMALS)
        self._runner.require_speed(lambda: operations("normal_views", steps) * share(), precision)
        hints = [Hint(to_pixels(sheet_of(each.pictures[..., :3]))[None]) for each in views]
        return self._draw(seen[0], hints, seeds, steps, guidance, precision, report)

    def _draw(
        self,
        seen: Seen,
        hints: Sequence[Hint | None],
        seeds: Sequence[int],
        steps: int,
        guidance: float,
        precision: str,
        report: Report,
    ) -> list[Views | Noted]:
        """A sheet for each seed: all are sampled before the first is decoded, so that networks change once."""
        compute, notes = choose(precision), list[str]()
        schedule = read_schedule(store.find(SIX_VIEWS), steps)
        size = (ROWS * SIDE // _LATENT, COLUMNS * SIDE // _LATENT)

        def paint(painter: Painter, plan: MemoryPlan, report: Report) -> list[Tensor]:
            return [
                sample(
                    painter,
                    seen.conditions(),
                    schedule,
                    drawn_by(seed),
                    part(report, number, number + 1, len(seeds)),
                    size=size,
                    guidance=guidance,
                    hint=hint,
                    together=not plan.apart,
                )
                for number, (seed, hint) in enumerate(zip(seeds, hints, strict=True))
            ]

        def develop(vae: Any, _: MemoryPlan, report: Report) -> list[Views]:  # noqa: ANN401
            made: list[Views] = []
            for latent in latents:
                report(len(made), len(latents))
                made.append(_views(decode(vae, latent)))
            return made

        latents = self._runner.use("painter", compute, paint, part(report, *_SAMPLED), notes, following="vae")
        made = self._runner.use("vae", compute, develop, part(report, *_DECODED), notes)
        report(1, 1)
        return [noted(views, notes) for views in made]


def _views(pixels: Tensor) -> Views:
    """The views in a sheet's pixels (1, 3, H, W) in [0, 1]."""
    sheet = rounded(require_finite(pixels, "decoder of the views"))[0]
    return Views(opaque(views_of(sheet)), CAMERAS)
