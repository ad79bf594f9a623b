# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of objects that the flow models learn from: NAME.safetensors for each, and normalization.json.

| tensor | what it is |
| --- | --- |
| `tokens` float (V, T, C) | the image tokens of V views' normal maps, as `models.image_tokens` makes them |
| `extrinsics` (V, 4, 4), `intrinsics` (V, 3, 3) | these views' cameras, see `views` |
| `structure` (C, R, R, R) | the latents of the sparse structure, for its flow model |
| `coords` uint8 (N, 3), `latents` (N, C) | the voxels and their latents as the encoder gives them, for the latents' |
| `vertices` (M, 3), `triangles` int32 (F, 3) | the true mesh in the unit cube around the origin, z up |

Cameras and mesh are needed by the normal regularisation alone. normalization.json is {"mean": [...], "std": [...]} of
the latents' channels, as `statistics` finds them.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

import torch
from torch import Tensor

from ...errors import UserError
from ...models.latent_flow import Normalization
from ...nn.checkpoint import read_tensors
from ...nn.sparse import Voxels
from ...safe_files import read_json
from .balancing import balanced
from .mesh_losses import render_truth
from .normal_regularisation import Target
from .views import Camera

MOST_VOXELS = 32_768
"""Objects with more are left out, as in the published training."""

_PLACED = ("extrinsics", "intrinsics", "vertices", "triangles")
_INSIDE = "See docs/norld.md for what such a file holds, and take out those that differ."


@dataclass(frozen=True)
class Placed:
    """The true mesh, and the cameras of an object's views."""

    vertices: Tensor
    triangles: Tensor
    extrinsics: Tensor
    intrinsics: Tensor

    def target(self, view: int, size: int) -> Target:
        """What a view of size x size pixels shows of the true mesh."""
        camera = Camera(self.extrinsics[view], self.intrinsics[view])
        return Target(camera, render_truth(self.vertices, self.triangles, camera, size))

    def to(self, device: torch.device) -> "Placed":
        """The same on a device."""
        moved = (tensor.to(device) for tensor in (self.vertices, self.triangles, self.extrinsics, self.intrinsics))
        return Placed(*moved)


@dataclass(frozen=True)
class Item:
    """One object as one step sees it. The data are those of the flow: normalised if they are latents."""

    data: Tensor  # float32 (C, R, R, R), or (N, C) at the coords
    tokens: Tensor  # float32 (T, context channels) of one view
    view: int
    coords: Tensor | None = None  # int32 (N, 3)
    placed: Placed | None = None

    def to(self, device: torch.device) -> "Item":
        """The same on a device."""
        coords = None if self.coords is None else self.coords.to(device)
        placed = None if self.placed is None else self.placed.to(device)
        return Item(self.data.to(device), self.tokens.to(device), self.view, coords, placed)


@dataclass(frozen=True)
class Batch:
    """Objects of one step. number: of this part, if it is a part of a batch."""

    items: Sequence[Item]
    number: int = 0

    def __len__(self) -> int:
        return len(self.items)

    def to(self, device: torch.device) -> Self:
        """The same on a device."""
        return replace(self, items=[item.to(device) for item in self.items])

    def parts(self, count: int) -> list[Self]:
        """At most so many parts, each with an object, of similar numbers of voxels."""
        groups = balanced([len(item.data) if item.coords is not None else 1 for item in self.items], count)
        filled = [group for group in groups if group]
        return [replace(self, items=[self.items[i] for i in group], number=n) for n, group in enumerate(filled)]

    @property
    def data(self) -> Tensor:
        """The flow's data of all objects: (B, C, R, R, R), or (N, C) at the voxels."""
        every = [item.data for item in self.items]
        return torch.stack(every) if self.items[0].coords is None else torch.cat(every)

    @property
    def tokens(self) -> Tensor:
        """(B, T, context channels)."""
        return torch.stack([item.tokens for item in self.items])

    @property
    def voxels(self) -> Voxels | None:
        """The voxels of all objects, None if the data are dense."""
        rows = [
            torch.nn.functional.pad(item.coords, (1, 0), value=i)
            for i, item in enumerate(self.items)
            if item.coords is not None
        ]
        return Voxels(torch.cat(rows), len(self.items)) if rows else None


@dataclass(frozen=True)
class Objects:
    """A folder of objects, in order of their names.

    channels, context_channels: of the data and of the tokens. normalization: of latents; None for structures.
    """

    folder: Path
    names: Sequence[str]
    channels: int
    context_channels: int
    normalization: Normalization | None

    def voxels(self, name: str) -> int:
        """How many voxels one object's latents are at, 1 for a structure: what it takes to learn from it.

        Raises UserError if the file is damaged or no such object's.
        """
        if self.normalization is None:
            return 1
        return len(self._read(name, ("coords",))["coords"])

    def read(self, name: str, view: float, *, placed: bool = False) -> Item:
        """One object with one of its views, which `view` in [0, 1) chooses.

        placed: with its mesh and cameras. Raises UserError if the file is damaged or of another network.
        """
        dense = self.normalization is None
        wanted = ("tokens", "structure") if dense else ("tokens", "coords", "latents")
        tensors = self._read(name, (*wanted, *(_PLACED if placed else ())))
        data = tensors["structure" if dense else "latents"].float()
        if data.shape[0 if dense else -1] != self.channels or tensors["tokens"].shape[-1] != self.context_channels:
            sentence = f"The object {self._path(name)} has other numbers of channels than the network."
            raise UserError("other-object", sentence, "Choose the configuration of its sizes, or take it out.")
        chosen = int(view * len(tensors["tokens"]))
        tokens = tensors["tokens"][chosen].float()
        its = (
            Placed(*(tensors[part] for part in ("vertices", "triangles", "extrinsics", "intrinsics")))
            if placed
            else None
        )
        if self.normalization is None:
            return Item(data, tokens, chosen, placed=its)
        return Item(self.normalization.applied(data), tokens, chosen, tensors["coords"].int(), its)

    def _read(self, name: str, wanted: Sequence[str]) -> dict[str, Tensor]:
        tensors = read_object(self._path(name))
        for part in wanted:
            if part not in tensors:
                raise UserError("other-object", f"The object {self._path(name)} lacks “{part}”.", _INSIDE)
        return tensors

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.safetensors"


def read_object(path: Path) -> dict[str, Tensor]:
    """The tensors of an object's file. Raises UserError if it is damaged, or no longer there."""
    try:
        return read_tensors(path)
    except UserError as error:
        sentence = f"The object {path} is damaged, or no longer there."
        advice = "Remove it, and make it again by the command that made it, or learn without it."
        raise UserError("damaged-object", sentence, advice) from error


def objects_of(folder: Path, channels: int, context_channels: int, *, dense: bool) -> Objects:
    """The objects of a folder, as structures (`dense`) or as latents. Raises UserError without any."""
    names = sorted(path.stem for path in folder.glob("*.safetensors"))
    if not names:
        raise UserError("no-objects", f"There are no objects in {folder}.", "Give a folder of .safetensors files.")
    if dense:
        return Objects(folder, names, channels, context_channels, None)
    normalization = _scales(folder / "normalization.json", channels)
    return Objects(folder, names, channels, context_channels, normalization)


def _scales(path: Path, channels: int) -> Normalization:
    """The latents' scales. Raises UserError if the file is not there, or has none for so many channels."""
    try:
        scales: Any = read_json(path)
        mean, std = (tuple(float(scales[part][channel]) for channel in range(channels)) for part in ("mean", "std"))
    except FileNotFoundError as error:
        sentence = f"The objects in {path.parent} have no {path.name} beside them, which the latent flow needs."
        advice = (
            "`train prepare-objects` makes objects for structure-flow alone. `train finetune` makes latents and this "
            "file, too; docs/norld.md says how to make your own."
        )
        raise UserError("no-scales", sentence, advice) from error
    except (LookupError, TypeError, ValueError, OSError) as error:
        sentence = f"The file {path} holds no scales."
        advice = 'Write it again: {"mean": […], "std": […]}, a number a channel.'
        raise UserError("other-object", sentence, advice) from error
    return Normalization(mean, std)
