# SPDX-License-Identifier: GPL-3.0-or-later
"""The sides of a mesh that the picture does not show get the picture's texture, by reference-guided views.

The mesh has its colours all round already: the picture's own in front, and elsewhere what likely goes on. From where
that is seen best, it is drawn; the view is drawn anew by the picture; and what is new in it comes onto the surface.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ..arrays import Float32Array
from ..flow.products import Cutout, Mesh, Picture, Report, Texture
from ..models.depth_diffusion import FACTOR, DepthDiffusion
from ..nn.checks import require_finite
from ..raster.colour import srgb_to_linear
from ..raster.morphology import eroded
from .baking import bake, drawn
from .depth import mask_to_latent, to_latent
from .directions import EMPTY, direction_of
from .front import Front, front_of, reference_of
from .matching import matched
from .planning import plan
from .progress import Progress
from .recipe import Recipe
from .rendering import Rendering, render
from .sampling import Coarse, Reference, Step, Texts, noisy_view, read_reference, redraw
from .surface import Surface, surface_of
from .texels import Texels, texels_of

_INNER = 2  # pixels along the outline that are not compared: they mix with the ground


@dataclass(frozen=True)
class Settings:
    """How unseen sides are drawn.

    recipe: see there. views: how many at most. enough: the share of the surface that may stay as it was guessed. size:
    the views' side in pixels, a multiple of 64 for the published network.
    """

    recipe: Recipe = field(default_factory=Recipe)
    views: int = 6
    enough: float = 0.03
    size: int = 512


@dataclass(frozen=True)
class Scene:
    """What views are drawn of: the surface, what the picture sees of it, and its image's texels, which change."""

    surface: Surface
    front: Front
    texels: Texels


def complete(
    mesh: Mesh,
    cutout: Cutout,
    network: DepthDiffusion,
    contexts: Mapping[str, Tensor],
    settings: Settings,
    report: Report,
) -> Mesh:
    """The mesh with what the picture does not show drawn by the network.

    mesh: as `texture.paint` gives it, with an image and `picture_uv` in the cut-out's frame. contexts: embedded texts
    by the names in `directions`, float32 (1, N, C) each; if `EMPTY` is the only one, there is no guidance by texts,
    which takes half the time. There is no randomness in it. `report` is called between evaluations; call it through
    `nn.watching.repeating`, and it is called within them too. Raises UserError if the network computes non-finite
    numbers, and `CannotPaintError` if the UVs are no projection.
    """
    progress = Progress(report)
    scene = scene_of(mesh, cutout, progress)
    cameras = plan(scene.surface, scene.front, settings.views, settings.enough, progress.poll)
    recipe = settings.recipe
    progress.expect(2 * recipe.reference_inverted + len(cameras) * steps_of_view(recipe))
    if cameras:
        picture = reference_of(scene.front, cutout, settings.size, progress.poll)
        reference = read(network, picture, contexts[EMPTY], recipe, progress)
        for camera in cameras:
            coarse = render(scene.surface, drawn(scene.texels, progress.poll), camera, settings.size, progress.poll)
            texts = Texts(contexts[EMPTY], contexts.get(direction_of(camera)))
            *_, last = draw(network, reference, coarse, texts, recipe, progress)
            made = decoded(network, last.after)
            progress.advance()
            bake(scene.surface, scene.texels, camera, in_tune(made, coarse), progress.poll)
    return finished(mesh, scene.texels, progress)


def scene_of(mesh: Mesh, cutout: Cutout, progress: Progress) -> Scene:
    """What views of a painted mesh are drawn of."""
    own = mesh.texture.base_colour if mesh.texture else None
    if own is None:
        raise ValueError("the mesh has no image of its colours")
    surface, front = surface_of(mesh), front_of(mesh, cutout, progress.poll)
    image = srgb_to_linear(own[..., :3].astype(np.float32) / 255)
    return Scene(surface, front, texels_of(surface, front, image, progress.poll))


def steps_of_view(recipe: Recipe) -> int:
    """How many steps of progress a view takes: its evaluations, and its decoding."""
    return recipe.inverted + recipe.steps - recipe.first + 1


def read(network: DepthDiffusion, picture: Rendering, empty: Tensor, recipe: Recipe, progress: Progress) -> Reference:
    """What views read of the picture."""
    latent, depth, _ = encoded(network, picture)
    return read_reference(network, latent, depth, empty, recipe, progress.within(2 * recipe.reference_inverted))


def draw(
    network: DepthDiffusion,
    reference: Reference,
    coarse: Rendering,
    texts: Texts,
    recipe: Recipe,
    progress: Progress,
) -> Iterator[Step]:
    """A coarse view drawn anew by the reference, step by step; see `sampling.redraw`."""
    view = Coarse(*encoded(network, coarse))
    noised = view.latent
    for noised in noisy_view(network, view, texts.empty, recipe):  # noqa: B007  the last one counts
        progress.advance()
    for step in redraw(network, reference, view, noised, texts, recipe):
        yield step
        progress.advance()


def encoded(network: DepthDiffusion, picture: Rendering) -> tuple[Tensor, Tensor, Tensor]:
    """A rendering's latent, depth and mask, float32 (1, C, h, w), on the network's device."""
    colours = torch.from_numpy(picture.colours * 2 - 1).movedim(-1, 0)[None]
    depth, mask = (torch.from_numpy(part)[None, None] for part in (picture.depth, picture.mask.astype(np.float32)))
    size = len(picture.colours) // FACTOR
    with torch.no_grad():
        latent = require_finite(network.encode(colours), "encoder of pictures")
    return (
        latent,
        to_latent(depth, (size, size)).to(network.device),
        mask_to_latent(mask, (size, size)).to(network.device),
    )


def decoded(network: DepthDiffusion, latent: Tensor) -> Float32Array:
    """A latent's picture, float32 (N, N, 3) in [0, 1]."""
    with torch.no_grad():
        pixels = require_finite(network.decode(latent), "network that draws views")
    return (pixels[0].movedim(0, -1) / 2 + 0.5).clamp(0, 1).cpu().numpy()


def in_tune(made: Float32Array, coarse: Rendering) -> Float32Array:
    """A made view in the brightness and tint of what the coarse one shows of what has been seen."""
    return matched(made, coarse.colours, coarse.known * eroded(coarse.mask, _INNER))


def finished(mesh: Mesh, texels: Texels, progress: Progress) -> Mesh:
    """The mesh with the texels as its image."""
    image: Picture = np.full((texels.size, texels.size, 4), 255, np.uint8)
    image[..., :3] = np.rint(np.clip(drawn(texels, progress.poll)[..., :3], 0, 1) * 255)
    progress.finish()
    return replace(mesh, texture=replace(mesh.texture or Texture(), base_colour=image))
