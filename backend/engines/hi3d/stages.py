# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the hi3d engine: views from around the object, and then the same at twice the size.

The noise of a seed is drawn on the CPU, in the order of the published programs: each stage has a generator of its own.
The frames go from one stage to the other as pictures, not through a compressed film as in the published programs.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...flow.products import Camera, Cutout, Noted, Report, Views
from ...flow.settings import Settings
from ...models.aesthetic import seen_by_score
from ...models.clip_tower import features
from ...models.depth_channels import depth_channels, depths, seen_by_depth
from ...models.frame_latents import drawn_latents
from ...models.video_conditioning import HI3D_NOISE, hi3d_vector
from ...models.video_sampler import blended, linear_guidance
from ...models.view_pictures import cropped, on_white, stretched, to_pixels
from ...nn.checks import require_finite
from ...nn.device import choose
from ...nn.watching import part
from ...texture.camera import orbit
from ...views.model import HI3D_FIRST, HI3D_SECOND, Model
from ...views.run import Run
from ...views.runner import Runner
from ...weights import store
from ...weights.catalogue import HI3D
from ...weights.record import own_folder

DISTANCE = 1.5  # metres, from an object whose longest side is one
FOV = 49.134  # degrees: a lens of 35 mm before a film of 32 mm, of SyncDreamer's data

_FIRST, _SECOND = HI3D.files
_STRONGEST_FIRST, _STRONGEST_SECOND = 2.5, 2.0


class Stages:
    """The engine's stages, with the networks that they share. They belong to one thread."""

    def __init__(self) -> None:
        self._runner = Runner([HI3D])

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        return self._runner.place()

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self._runner.unload()

    def seconds(self, stage: str, settings: Settings) -> float | None:
        """How many seconds a stage will about take on a slow device; None if it is fast, or without networks."""
        wanted = {"views": (_FIRST, HI3D_FIRST), "fine": (_SECOND, HI3D_SECOND)}
        if stage not in wanted or (stage == "fine" and settings["views_size"] == "coarse"):
            return None
        file, model = wanted[stage]
        steps, precision = int(settings["steps"]), str(settings["precision"])
        return self._runner.seconds(own_folder(HI3D) / file, model, steps, precision)

    def views(
        self,
        cutout: Cutout,
        *,
        seed: int,
        views_size: str,
        elevation: float,
        steps: int,
        precision: str,
        report: Report,
    ) -> Views | Noted:
        """The first stage: the frames of a whole circle, from the picture's own camera on, to its right.

        Raises UserError if weights are missing or damaged, or if the device is too slow for what is asked for.
        """
        if views_size == "fine":  # said before the first stage is waited for
            self._require_speed(_SECOND, HI3D_SECOND, steps, precision)
        run = self._run(_FIRST, HI3D_FIRST, steps, precision, part(report, 0, 1, 20))
        device, frames = run.compute.device, run.there.frames
        picture = to_pixels(cropped(on_white(cutout.rgba), run.there.side))[None]
        generator = torch.Generator().manual_seed(seed)
        seen = picture + HI3D_NOISE * torch.randn(picture.shape, generator=generator)
        noise = run.noise(generator).to(device)

        def judge(network: Any, _: Report) -> Tensor:  # noqa: ANN401
            return network.score.of(features(network.tower, seen_by_score(picture.to(device))))

        token = run.token(picture, part(report, 1, 2, 20), "tower")
        score = run.use("tower", judge, part(report, 2, 3, 20), "encoder")
        latent = run.picture_latents(seen, part(report, 3, 4, 20), "unet")
        condition = run.condition(token, latent, hi3d_vector(round(elevation), score))
        guidance = linear_guidance(frames, _STRONGEST_FIRST)
        latents = run.sampled(noise, condition, guidance, steps, part(report, 4, 19, 20))
        return run.views(run.decoded(latents, part(report, 19, 20, 20)), cameras(frames, round(elevation)))

    def fine(
        self,
        views: Views,
        cutout: Cutout,
        *,
        seed: int,
        views_size: str,
        elevation: float,
        steps: int,
        precision: str,
        report: Report,
    ) -> Views | Noted:
        """The second stage: the same frames at twice the size; as they are if only coarse ones are asked for.

        Raises UserError as the first.
        """
        if views_size == "coarse":
            report(1, 1)
            return views
        run = self._run(_SECOND, HI3D_SECOND, steps, precision, part(report, 0, 1, 20))
        device, count, side = run.compute.device, run.there.frames, run.there.side
        first = stretched(on_white(cutout.rgba), side, side)
        frames = to_pixels(np.stack([first, *(stretched(one[..., :3], side, side) for one in views.pictures[1:])]))
        generator = torch.Generator().manual_seed(seed)
        noise = run.noise(generator).to(device)
        drawn = torch.cat([torch.randn(1, *noise.shape[1:], generator=generator) for _ in frames]).to(device)
        seen = frames + HI3D_NOISE * torch.randn(frames.shape, generator=generator)

        def look(network: Any, report: Report) -> Tensor:  # noqa: ANN401
            found: list[Tensor] = []
            for number, frame in enumerate(seen.split(1)):
                report(number, count)
                depth = depths(network, seen_by_depth(frame.to(device)))
                found.append(depth_channels(require_finite(depth, "network of the depth"), side, side))
            return torch.cat(found)

        def draw(network: Any, report: Report) -> Tensor:  # noqa: ANN401
            return drawn_latents(network, frames.to(device), drawn, report)

        token = run.token(frames[:1], part(report, 1, 2, 20), "depth")
        depth = run.use("depth", look, part(report, 2, 3, 20), "encoder")
        latent = run.picture_latents(seen, part(report, 3, 4, 20), "vae")
        coarse = run.use("vae", draw, part(report, 4, 5, 20), "unet")
        condition = run.condition(token, torch.cat([depth, latent], dim=1), hi3d_vector(round(elevation)))
        guidance = linear_guidance(count, _STRONGEST_SECOND)
        change = blended(coarse, noise, steps)
        latents = run.sampled(noise, condition, guidance, steps, part(report, 5, 19, 20), change)
        return run.views(run.decoded(latents, part(report, 19, 20, 20)), cameras(count, round(elevation)))

    def _run(self, file: str, model: Model, steps: int, precision: str, report: Report) -> Run:
        path = self._require_speed(file, model, steps, precision)
        return Run(self._runner, model, self._runner.prepare(path, model, report), choose(precision))

    def _require_speed(self, file: str, model: Model, steps: int, precision: str) -> Path:
        path = store.find(HI3D) / file
        self._runner.require_speed(path, model, steps, precision)
        return path


def cameras(frames: int, elevation: float) -> list[Camera]:
    """The cameras of all frames, the first of them the picture's own."""
    return [orbit(360 * i / frames, elevation, DISTANCE, FOV) for i in range(frames)]
