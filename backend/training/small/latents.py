# SPDX-License-Identifier: GPL-3.0-or-later
"""The autoencoder of small structured latents: signed distances at a voxel's cells to a few numbers and back.

The published encoder sees image features of many views at every voxel. Ours sees what they stand for: the exact
distances at the 27 corners of a voxel's 8 cells. The decoder is the published one with one subdivision; it learns the
same distances, and the normals that they have within the cells that the surface passes through. Displacements of
corners and colours are not trained: they stay zero.

While it is trained, the decoder's distances are in `UNIT` cells, so that steps of the optimizer are neither large nor
small beside them; as exported they are lengths in the volume's sides.
"""

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...flow.products import Picture
from ...models.latent_decoder import LatentDecoder
from ...models.latent_encoder import LatentEncoder
from ...nn.posterior import Posterior
from ...nn.sparse import CHILDREN, Voxels
from ...surface.marching_cubes_tables import EDGES
from ...surface.surface import CORNERS, DISTANCE, Surface, extract_surface
from ..core.curve import Quantity
from ..geometry.comparison import drawn
from ..geometry.silhouettes import seen_from
from ..geometry.triangles import Triangles
from ..norld.export import write_network
from .config import LatentsConfig
from .structures import drawn_from, quieten, symmetry
from .task import Objects
from .views import FINE, RESOLUTION

ENCODER, DECODER = "SLatEncoder", "SLatMeshDecoder"
CELLS = FINE * RESOLUTION
"""Cells along the volume's sides."""

UNIT = 4.0
"""Cells: what one is to the decoder while it is trained."""

_PANEL = 128  # pixels along the side of a picture on the sheet


class LatentAutoencoder(nn.Module):
    """Both networks."""

    def __init__(self, config: LatentsConfig) -> None:
        super().__init__()
        self.encoder = LatentEncoder(config.encoder)
        quieten(self.encoder.out_layer.bias, config.latents)
        self.decoder = LatentDecoder(config.decoder)

    def forward(
        self, distances: Tensor, voxels: Voxels, noise: torch.Generator | None
    ) -> tuple[Posterior, Tensor, Voxels]:
        """The latents' distribution, and distances in cells at fine voxels (8 N, 8), for `distances` (N, 27) in cells.

        The decoder's are a cell's edge too large, as the published ones are.
        """
        found = self.encoder(distances, voxels)
        features, fine = self.decoder(drawn_from(found, noise), voxels)
        return found, UNIT * features[:, DISTANCE] - 1, fine

    def trained_decoder(self) -> LatentDecoder:
        """The decoder with distances in the volume's sides, as the engine has it."""
        decoder = copy.deepcopy(self.decoder)
        with torch.no_grad():
            decoder.out_layer.weight[DISTANCE] *= UNIT / CELLS
            decoder.out_layer.bias[DISTANCE] *= UNIT / CELLS
        return decoder


@dataclass(frozen=True)
class Latents:
    """The training of a `LatentAutoencoder`: a `task.Part`."""

    config: LatentsConfig

    @property
    def quantity(self) -> Quantity:
        """The angle between the found and the true normals of the cells that the surface passes through."""
        return Quantity("degrees", "°")

    def make(self) -> nn.Module:
        """Make the network."""
        return LatentAutoencoder(self.config)

    def varied(self, tensors: Mapping[str, Tensor], random: np.random.Generator | None) -> dict[str, Tensor]:
        """Voxels int32 (N, 3) and distances float32 (N, 27)."""
        coords, distances = tensors["coords"].int(), tensors["distances"].float()
        if random is not None:
            turn, flips = symmetry(random)
            coords, distances = turned(coords, distances, turn, flips)
        return {"coords": coords, "distances": distances}

    def loss(self, network: nn.Module, objects: Objects, noise: torch.Generator | None) -> dict[str, Tensor]:
        """Distances at cells' corners, normals in cells, and the divergence."""
        truth = torch.cat([each["distances"] for each in objects])
        found, distances, _ = network(truth, voxels_of(objects), noise)
        true = of_cells(truth)
        crossed = (true.amin(1) < 0) & (true.amax(1) >= 0)
        cosine = functional.cosine_similarity(_slopes(distances[crossed]), _slopes(true[crossed]), dim=1)
        terms = {
            "distance": functional.smooth_l1_loss(distances, true, beta=0.2),
            "normal": (1 - cosine).mean(),
            "kl": found.divergence(),
            "degrees": torch.rad2deg(torch.arccos(cosine.detach().clamp(-1, 1))).mean(),
        }
        loss = terms["distance"] + self.config.normals * terms["normal"] + self.config.divergence * terms["kl"]
        return {"loss": loss, **terms}

    def sheet(self, network: nn.Module, objects: Objects) -> Picture:
        """True surfaces beside those of the means, by their normals, from the front and from an eighth of a turn."""
        rows: list[Picture] = []
        for each in objects:
            voxels = voxels_of([each])
            _, distances, fine = network(each["distances"], voxels, None)
            panels: list[Picture] = []
            true = of_cells(each["distances"])
            for values in (true, distances):
                surface = triangles_of(surface_of(fine.coords[:, 1:], values))
                panels += [drawn(seen_from(surface, angle), _PANEL) for angle in (0, 45)]
            rows.append(np.hstack(panels))
        return np.vstack(rows)

    def export(self, stem: Path, network: nn.Module) -> None:
        """Write STEM-encoder and STEM-decoder as the published networks are kept."""
        assert isinstance(network, LatentAutoencoder)  # noqa: S101  `make` made it
        write_network(stem.with_name(f"{stem.name}-encoder"), ENCODER, self.config.encoder, network.encoder)
        write_network(stem.with_name(f"{stem.name}-decoder"), DECODER, self.config.decoder, network.trained_decoder())


def voxels_of(objects: Objects) -> Voxels:
    """The voxels of some objects."""
    coords = [functional.pad(each["coords"].int(), (1, 0), value=i) for i, each in enumerate(objects)]
    return Voxels(torch.cat(coords), len(objects))


def turned(coords: Tensor, distances: Tensor, turn: tuple[int, ...], flips: list[int]) -> tuple[Tensor, Tensor]:
    """Voxels (N, 3) and distances (N, 27) with the axes in the order `turn`, of which `flips` are then reversed."""
    grid = distances.unflatten(1, (FINE + 1,) * 3).permute(0, *(axis + 1 for axis in turn))
    grid = grid.flip([axis + 1 for axis in flips])
    moved = coords[:, list(turn)].clone()
    moved[:, flips] = RESOLUTION - 1 - moved[:, flips]
    return moved, grid.flatten(1)


def surface_of(coords: Tensor, distances: Tensor) -> Surface:
    """The surface of distances (M, 8) in cells at the corners of the cells `coords` (M, 3)."""
    features = functional.pad((distances + 1) / CELLS, (0, 45))
    return extract_surface(coords, features, CELLS, solid=True)


def triangles_of(surface: Surface) -> Triangles:
    """A surface in the volume as the viewer sees it: x right, y up, z to the viewer."""
    vertices = surface.vertices.double().cpu().numpy()[:, [0, 2, 1]] * np.array([1.0, 1.0, -1.0])
    return Triangles(vertices, surface.triangles.long().cpu().numpy())


def of_cells(distances: Tensor) -> Tensor:
    """The distances (8 N, 8) at the corners of all cells from those of the voxels (N, 27), in the decoder's order."""
    return distances[:, _corners_of_cells(distances.device)].flatten(0, 1)


@cache
def _corners_of_cells(device: torch.device) -> Tensor:
    """Which of a voxel's 27 distances are at the 8 corners of each of its 8 cells: int64 (8, 8)."""
    side = FINE + 1
    found = [[((x + i) * side + (y + j)) * side + (z + k) for i, j, k in CORNERS] for x, y, z in CHILDREN]
    return torch.tensor(found, device=device)


def _slopes(distances: Tensor) -> Tensor:
    """The gradient in the middle of each cell from its corners' distances: (M, 8) to (M, 3)."""
    starts, ends = (distances[:, list(corners)].unflatten(1, (3, 4)) for corners in zip(*EDGES, strict=True))
    return ends.mean(2) - starts.mean(2)  # four edges along each axis
