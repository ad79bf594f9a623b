# SPDX-License-Identifier: GPL-3.0-or-later
"""The image of a surface is refined by the network: every rendering should be what the network makes of it.

That is the refinement of Yu et al., HiFi-123, 2023, section 3.2, with the shape fixed. The paper gives the cameras, the
20 steps and the guidance; the length of a step of the optimiser, how long a view's clean latents are kept, and the
levels were not published, and are decisions: see `Refinement`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from ..arrays import Float32Array
from ..flow.products import Camera, Cutout, Mesh, Report
from ..models.depth_diffusion import DepthDiffusion
from ..nn.checks import require_finite
from ..raster.colour import srgb_to_linear
from ..raster.ticks import Poll
from ..texture.bake import SQUARE
from .baking import drawn
from .complete import Scene, draw, finished, read, scene_of, steps_of_view
from .directions import EMPTY, direction_of
from .distillation import distance
from .front import reference_of
from .planning import plan
from .progress import Progress
from .recipe import Recipe
from .rendering import GROUND, look_at, places_in_image, render
from .sampling import Reference, Texts

_ELEVATIONS = (-10.0, 60.0)  # degrees, of random cameras
FIXED = 2
"""Views that are drawn beforehand and are targets without noise."""


@dataclass(frozen=True)
class Refinement:
    """How an image is refined.

    As published: recipe (20 steps, guidance 7.5, the paper's symmetric form). Decisions: iterations, of which each
    second is for one of two fixed views without noise; fresh, after how many iterations a random camera is drawn anew,
    in which its levels are drawn at random among those of its way back; rate, of Adam, in sRGB from 0 to 1; size, the
    renderings' side in pixels.
    """

    recipe: Recipe = field(default_factory=lambda: Recipe(steps=20, guidance=7.5, stop=12, symmetric=True))
    iterations: int = 200
    fresh: int = 20
    rate: float = 0.01
    size: int = 512


@dataclass(frozen=True)
class Target:
    """What a camera's rendering should be.

    grid: float32 (1, N, N, 2), where each pixel finds its colour in the image, from -1 to 1, row 0 on top. cover:
    float32 (1, 1, N, N), 1 if it shows the surface. clean: the clean latents that may be asked for, float32 (1, 4, h,
    w), and the alpha-bar of each, ().
    """

    grid: Tensor
    cover: Tensor
    clean: tuple[tuple[Tensor, Tensor], ...]


def refine(
    mesh: Mesh,
    cutout: Cutout,
    network: DepthDiffusion,
    contexts: Mapping[str, Tensor],
    seed: int,
    settings: Refinement,
    report: Report,
) -> Mesh:
    """The mesh with its image refined where the picture does not show it squarely; arguments as of `complete`.

    The seed decides the random cameras and levels; both are drawn on the CPU.
    """
    random, recipe = np.random.default_rng(seed), settings.recipe
    progress = Progress(report)
    scene = scene_of(mesh, cutout, progress)
    fixed = plan(scene.surface, scene.front, FIXED, 0.0, progress.poll)
    drawings = len(fixed) + -(-settings.iterations // settings.fresh)
    progress.expect(2 * recipe.reference_inverted + drawings * steps_of_view(recipe) + settings.iterations)
    picture = reference_of(scene.front, cutout, settings.size, progress.poll)
    reference = read(network, picture, contexts[EMPTY], recipe, progress)

    def aim(camera: Camera, image: Tensor, *, last: bool) -> Target:
        pixels = image[0].movedim(0, -1).cpu().numpy()
        return _target(scene, pixels, camera, network, reference, contexts, settings, progress, last=last)

    image = _image(scene, network.device, progress.poll)
    free = _free(scene, network.device)
    targets = [aim(camera, image, last=True) for camera in fixed]
    change = torch.zeros_like(image, requires_grad=True)
    optimiser = torch.optim.Adam([change], lr=settings.rate)
    for first in range(0, settings.iterations, settings.fresh):
        camera = scene.surface.camera(random.uniform(-180, 180), random.uniform(*_ELEVATIONS))
        with torch.no_grad():
            wandering = aim(camera, (image + free * change).clamp(0, 1), last=False)
        for number in range(first, min(first + settings.fresh, settings.iterations)):
            target = targets[number // 2 % len(targets)] if targets and number % 2 else wandering
            clean, alpha_bar = target.clean[random.integers(len(target.clean))]
            optimiser.zero_grad()
            loss = distance(network.encode(_rendered(image + free * change, target)), clean, alpha_bar)
            loss.backward()
            optimiser.step()
            progress.advance()
    with torch.no_grad():
        done = require_finite((image + free * change).clamp(0, 1), "refinement of colours")
    colours = srgb_to_linear(done[0].movedim(0, -1).cpu().numpy().reshape(-1, 3))
    scene.texels.colours[:] = colours[scene.texels.pixels]
    return finished(mesh, scene.texels, progress)


def _target(
    scene: Scene,
    colours: Float32Array,
    camera: Camera,
    network: DepthDiffusion,
    reference: Reference,
    contexts: Mapping[str, Tensor],
    settings: Refinement,
    progress: Progress,
    *,
    last: bool,
) -> Target:
    """What the network makes of the surface from a camera: at every level of its way back, or the `last` alone."""
    known = np.zeros((*colours.shape[:2], 1), np.float32)
    coarse = render(scene.surface, np.concatenate([colours, known], axis=2), camera, settings.size, progress.poll)
    texts = Texts(contexts[EMPTY], contexts.get(direction_of(camera)))
    steps = list(draw(network, reference, coarse, texts, settings.recipe, progress))
    progress.advance()
    schedule = settings.recipe.schedule
    clean = [(step.clean, schedule.alpha_bar(settings.recipe.steps - 1 - step.number)) for step in steps]
    seen = look_at(scene.surface, camera, settings.size, progress.poll)
    there = seen.triangles >= 0
    grid = np.zeros((settings.size, settings.size, 2), np.float32)
    grid[there] = places_in_image(scene.surface, seen) * (2, -2) + (-1, 1)
    return Target(
        torch.from_numpy(grid)[None].to(network.device),
        torch.from_numpy(there.astype(np.float32))[None, None].to(network.device),
        ((steps[-1].after, torch.ones(())),) if last else tuple(clean),
    )


def _rendered(image: Tensor, target: Target) -> Tensor:
    """The surface in the colours of an image (1, 3, S, S), as the network's pixels (1, 3, N, N) in [-1, 1]."""
    colours = functional.grid_sample(image, target.grid, mode="bilinear", padding_mode="border", align_corners=False)
    ground = torch.from_numpy(GROUND).to(colours)[None, :, None, None]
    return 2 * (target.cover * colours + (1 - target.cover) * ground) - 1


def _image(scene: Scene, device: torch.device, poll: Poll) -> Tensor:
    """The surface's image, float32 (1, 3, S, S), sRGB in [0, 1]."""
    return torch.from_numpy(drawn(scene.texels, poll)[..., :3].copy()).movedim(-1, 0)[None].to(device)


def _free(scene: Scene, device: torch.device) -> Tensor:
    """How far each pixel of the image may change, float32 (1, 1, S, S): not if the picture shows it squarely."""
    texels = scene.texels
    free = np.zeros(texels.size**2, np.float32)
    free[texels.pixels] = 1 - np.minimum(texels.seen / SQUARE, 1)
    return torch.from_numpy(free.reshape(1, 1, texels.size, texels.size)).to(device)
