# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage of the sv3d engine: views from around the object, of which the last is the picture itself.

The noise of a seed is drawn on the CPU, in the order of the published program.
"""

import numpy as np
import torch

from ...flow.products import Camera, Cutout, Noted, Report, Views
from ...flow.settings import Settings
from ...models.video_conditioning import SV3D_NOISE, even_azimuths, sv3d_angles, sv3d_vectors
from ...models.video_sampler import triangle_guidance
from ...models.view_pictures import centred_on_white, to_pixels
from ...nn.device import choose
from ...nn.watching import part
from ...texture.camera import distance_to, orbit
from ...views.model import SV3D
from ...views.run import Run
from ...views.runner import Runner
from ...weights import store
from ...weights.catalogue import SV3D_P, SV3D_U, Package
from ...weights.record import own_folder

FOV = 33.8  # degrees, of the pictures that it learned from (Voleti et al. 2024, “Training Details”)
PACKAGES = {"p": SV3D_P, "u": SV3D_U}

_STRONGEST = 2.5


class Stages:
    """The engine's stage, with the networks of it. They belong to one thread."""

    def __init__(self) -> None:
        self._runner = Runner(PACKAGES.values())

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        return self._runner.place()

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self._runner.unload()

    def seconds(self, stage: str, settings: Settings) -> float | None:
        """How many seconds a stage will about take on a slow device; None if it is fast, or without networks."""
        if stage != "views":
            return None
        package = PACKAGES[str(settings["model"])]
        file = own_folder(package) / package.files[0]
        return self._runner.seconds(file, SV3D, int(settings["steps"]), str(settings["precision"]))

    def views(
        self, cutout: Cutout, *, seed: int, model: str, elevation: float, steps: int, precision: str, report: Report
    ) -> Views | Noted:
        """The frames of a whole circle, from the next to the picture's own camera on, to its right.

        Raises UserError if weights are missing or damaged, or if the device is too slow.
        """
        run = self._run(PACKAGES[model], steps, precision, part(report, 0, 1, 20))
        frames = run.there.frames
        white = centred_on_white(cutout.rgba, run.there.side)
        picture = to_pixels(white)[None]
        generator = torch.Generator().manual_seed(seed)
        seen = picture + SV3D_NOISE * torch.randn(picture.shape, generator=generator)
        noise = run.noise(generator).to(run.compute.device)
        token = run.token(picture, part(report, 1, 2, 20), "encoder")
        latent = run.picture_latents(seen, part(report, 2, 3, 20), "unet")
        angles = sv3d_angles([elevation] * frames, even_azimuths(frames)) if model == "p" else ()
        condition = run.condition(token, latent, sv3d_vectors(frames, *angles))
        guidance = triangle_guidance(frames, _STRONGEST)
        latents = run.sampled(noise, condition, guidance, steps, part(report, 3, 19, 20))
        colours = run.decoded(latents, part(report, 19, 20, 20))
        colours[-1] = white
        return run.views(colours, cameras(frames, elevation, _fill(cutout)))

    def _run(self, package: Package, steps: int, precision: str, report: Report) -> Run:
        file = store.find(package) / package.files[0]
        self._runner.require_speed(file, SV3D, steps, precision)
        return Run(self._runner, SV3D, self._runner.prepare(file, SV3D, report), choose(precision))


def cameras(frames: int, elevation: float, fill: float) -> list[Camera]:
    """The cameras of all frames, the last of them the picture's own.

    An object whose longest side is a metre fills so much of the picture's side, as the published programs know no
    distance.
    """
    distance = distance_to(fill, FOV)
    return [orbit(azimuth, elevation, distance, FOV) for azimuth in even_azimuths(frames)]


def _fill(cutout: Cutout) -> float:
    """How much of the picture's side the object's longer side is, in (0, 1]."""
    opaque = cutout.rgba[..., 3] > 0
    longest = max(int(np.ptp(np.nonzero(line)[0])) + 1 for line in (opaque.any(0), opaque.any(1)))
    return longest / len(opaque)
