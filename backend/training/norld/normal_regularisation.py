# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal regularisation of the latents' flow model, online: the term that gives NoRLD its name (Ye et al. 2025).

What the network takes for the clean latent is decoded, the surface's normals are rendered, and they are compared with
the true ones. The paper says no more than that; which times, views, pixels and weights are ours (docs/norld.md).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...models.latent_decoder import LatentDecoder, LatentDecoderConfig
from ...models.latent_flow import Normalization
from ...nn.checkpoint import load_network
from ...nn.sparse import Voxels
from ...surface.surface import DISTANCE
from .mesh_losses import Rendering
from .seen_surface import Look, decoded_topology, look_at, seen_normals
from .views import Camera

_APART = 4.0  # cells between depths that are not of the same part of the surface


@dataclass(frozen=True)
class Target:
    """A view of the true object: the camera, and what it shows; normals are in the world, turned to the camera."""

    camera: Camera
    truth: Rendering


@dataclass(frozen=True)
class FrozenDecoder:
    """The decoder that the clean latents go through; it is not trained.

    normalization: of the flow's latents. steepest: the largest gradient that a distance gets, in medians: where a
    surface hardly crosses an edge, it would be boundless.
    """

    network: LatentDecoder
    normalization: Normalization
    steepest: float = 10.0

    def __post_init__(self) -> None:
        self.network.requires_grad_(requires_grad=False).eval()
        self.network.recomputed = self.network.steps

    def features(self, latents: Tensor, voxels: Voxels) -> tuple[Tensor, Voxels]:
        """The features (64 N, F) of the flow's `latents` (N, C) of one object, and the fine voxels they are at."""
        self.network.to(latents.device)
        features, fine = self.network(self.normalization.undone(latents), voxels)
        if features.requires_grad:
            features.register_hook(self._tamed)
        return features, fine

    @property
    def resolution(self) -> int:
        """Fine voxels along an axis."""
        return self.network.config.fine

    def _tamed(self, gradient: Tensor) -> Tensor:
        of_distances = gradient[:, DISTANCE]
        moved = of_distances[of_distances != 0].abs()
        if not len(moved):
            return gradient
        most = self.steepest * moved.median()
        return torch.cat([of_distances.clamp(-most, most), gradient[:, DISTANCE.stop :]], dim=1)


def load_decoder(stem: Path, normalization: Normalization) -> FrozenDecoder:
    """The published decoder STEM.json and STEM.safetensors, in float32. Raises UserError as `load_network` does."""
    network = load_network(stem, "SLatMeshDecoder", _decoder)
    network.float().compute_in(torch.float32)
    return FrozenDecoder(network, normalization)


def _decoder(**sizes: Any) -> LatentDecoder:  # noqa: ANN401  a description's
    return LatentDecoder(LatentDecoderConfig(**sizes))


def weight_at(t: float, latest: float) -> float:
    """The weight of an object at time `t`: (1 - t / latest)² up to `latest`, then 0.

    The clean latent is the mean of all that fit the noisy one. That is one object only near t = 0.
    """
    return max(0.0, 1 - t / latest) ** 2


def normal_loss(decoder: FrozenDecoder, latents: Tensor, voxels: Voxels, targets: Sequence[Target]) -> Tensor | None:
    """The mean of 1 - cos between the normals of one object's `latents` (N, C) and the true ones over all views, ().

    None if the latents decode to nothing, or no view shows a pixel of the same part of both surfaces.
    """
    features, fine = decoder.features(latents, voxels)
    topology = decoded_topology(fine.coords[:, 1:], features, decoder.resolution)
    if topology is None:
        return None
    losses: list[Tensor] = []
    for target in targets:
        look = look_at(topology, features, target.camera, target.truth.mask.shape[-1])
        compared = compare(look, seen_normals(topology, features, look), target, _APART / decoder.resolution)
        if compared is not None:
            losses.append(compared)
    return torch.stack(losses).mean() if losses else None


def compare(look: Look, normals: Tensor, target: Target, apart: float) -> Tensor | None:
    """The weighted mean of 1 - cos over the pixels that both show at depths that differ by at most `apart`, ().

    normals: (P, 3) of the pixels that the look hits.
    A pixel weighs the square root of how directly the true surface faces the camera, so that grazing ones count little.
    None if there is no pixel.
    """
    pixels, size = look.hits.pixels, look.hits.size
    true = (2 * target.truth.normal - 1).flatten(1).T[pixels]
    depth, mask = target.truth.depth.flatten()[pixels], target.truth.mask.flatten()[pixels]
    rays = functional.normalize(target.camera.rays(size).flatten(0, 1)[pixels], dim=1)
    facing = -(true * rays).sum(1)
    counts = (mask > 0) & ((look.depths - depth).abs() <= apart) & (facing > 0)
    weights = facing[counts].sqrt()
    if not len(weights):
        return None
    return ((1 - (normals[counts] * true[counts]).sum(1)) * weights).sum() / weights.sum()


class Strength:
    """How strongly the normals count beside the flow, so that their gradient is a fixed share of the flow's.

    The gradients are those of the network's last layer. Over the first so many `looks` at normals the median ratio of
    their norms is found; it is used from the first look on and is constant afterwards. Not the mean: a look late in the
    counted times weighs next to nothing, so that its ratio is many times the others'. Several processes have one
    ratio: what each finds in a step counts for the others from the next step on.
    """

    def __init__(self, share: float, looks: int) -> None:
        self._share = share
        self._looks = looks
        self._ratios: list[float] = []  # of all processes
        self._own: list[float] = []  # of this step and this process

    def factor(self, flow: Tensor, normals: Tensor, weights: Tensor) -> float:
        """What the normals' loss is multiplied with. `weights`: of the last layer, which both losses depend on."""
        if len(self._ratios) + len(self._own) < self._looks:
            ratio = [torch.autograd.grad(loss, weights, retain_graph=True)[0].norm() for loss in (flow, normals)]
            found = (ratio[0] / ratio[1]).item()
            if 0 < found < float("inf"):
                self._own.append(found)
        known = [*self._ratios, *self._own]
        return self._share * median(known) if known else 0.0

    def agree(self, together: Callable[[list[float]], list[float]]) -> None:
        """Ends a step. together: returns the lists of all processes, one behind the other; all call it or none does."""
        if len(self._ratios) < self._looks:
            self._ratios = [*self._ratios, *together(self._own)][: self._looks]
        self._own = []

    def remembered(self) -> list[float]:
        """What `recall` takes."""
        return self._ratios

    def recall(self, ratios: Sequence[float]) -> None:
        """Goes on where another left off."""
        self._ratios = list(ratios)
