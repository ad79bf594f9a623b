# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes become objects that both flow models learn from, one after the other: what is there is not made again."""

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ...arrays import Float32Array, Int32Array
from ...errors import UserError
from ...files.coloured import read_parts
from ...files.outputs import writing
from ...files.scenes import READ_SUFFIXES
from ...flow.products import Mesh
from ...models.image_tokens import image_tokens, load_tokenizer, patch_tokens
from ...models.latent_encoder import LatentEncoder
from ...models.structure_encoder import StructureEncoder
from ...nn.checkpoint import read_tensors
from ...nn.device import is_out_of_memory, release
from ...safe_files import read_json, write_json
from ..norld.appearance import painted
from ..norld.objects import MOST_VOXELS
from ..norld.preparation import feature_cameras, load_encoder, load_latent_encoder, prepared, seen_latents
from .published import Published

CHOSEN = "preparation.json"
"""Beside the objects: what they were made with, so that no folder holds objects of two kinds."""

_LEAST_AREA = 1e-6  # of the square on the longest side


@dataclass(frozen=True)
class Choices:
    """How objects are made. views: of normals, that the flow models are shown. feature_views: that latents are made of.

    seed: decides the cameras, with the object's name.
    """

    views: int = 24
    feature_views: int = 150
    seed: int = 1


@dataclass(frozen=True)
class Networks:
    """What makes objects of meshes, in float32 on one device."""

    structures: StructureEncoder
    latents: LatentEncoder
    tokenizer: Any  # the library's class
    device: torch.device

    @property
    def resolution(self) -> int:
        """Voxels along an axis."""
        return self.latents.config.resolution


def load_networks(published: Published, device: torch.device) -> Networks:
    """The published encoders and the network of picture tokens. Raises UserError if one is damaged."""
    structures, latents = published.encoder_stems
    tokenizer: Any = load_tokenizer(published.tokenizer)
    encoders = load_encoder(structures).to(device), load_latent_encoder(latents).to(device)
    return Networks(*encoders, tokenizer.to(device), device)


def meshes_in(given: Iterable[Path]) -> dict[str, Path]:
    """Files of meshes by their names, and those in given folders and all below them, whose names begin with theirs.

    Raises UserError if there are none, if two have the same name, if a path leads nowhere, or if a folder cannot be
    read.
    """
    files: list[tuple[str, Path]] = []
    for path in given:
        if not path.exists():
            raise UserError("no-meshes", f"There is no file or folder “{path}”.", "Check the path of the meshes.")
        if not path.is_dir():
            files.append((path.stem, path))
            continue
        inside = (file.relative_to(path) for file in _below(path) if file.suffix.lower() in READ_SUFFIXES)
        files += [("-".join(file.with_suffix("").parts), path / file) for file in inside]
    found = dict(files)
    names = {name.casefold() for name in found}  # some disks do not tell capitals from small letters
    if not found:
        sentence = "There are no meshes in the folders that were given."
        raise UserError("no-meshes", sentence, f"Give files or folders of {', '.join(READ_SUFFIXES)}.")
    if len(names) < len(files):
        raise UserError("same-name", "Two of the meshes have the same name.", "Rename one of them.")
    return found


def _below(folder: Path) -> list[Path]:
    """All files below a folder, in order. Raises UserError if a folder cannot be read."""

    def refuse(error: OSError) -> None:
        sentence = f"The meshes in {error.filename} cannot be listed: {error.strerror or error}."
        raise UserError("no-meshes", sentence, "Check that you may read the folder.") from error

    return sorted(Path(place, name) for place, _, names in os.walk(folder, onerror=refuse) for name in names)


def read_mesh(file: Path) -> tuple[list[Mesh], Float32Array, Int32Array]:
    """A mesh's parts with their colours, and all their vertices and triangles. Raises `UserError`.

    It does if they have less than a millionth of the area of the square on their longest side: no view would show them.
    """
    parts = read_parts(file)
    vertices = np.concatenate([part.vertices for part in parts])
    starts = np.cumsum([0, *(len(part.vertices) for part in parts)])
    triangles = np.concatenate([part.triangles + start for part, start in zip(parts, starts, strict=False)])
    a, b, c = (vertices[triangles[:, corner]].astype(np.float64) for corner in range(3))
    area = np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2
    if not _LEAST_AREA * float(np.ptp(vertices, axis=0).max()) ** 2 < area < np.inf:
        raise UserError("bad-mesh-file", f"“{file.name}” has no surface.", "Use a file with a mesh.")
    return parts, vertices, triangles.astype(np.int32)


def random_of(seed: int, name: str, purpose: int | None = None) -> np.random.Generator:
    """What decides an object's cameras: of its normals, or with a `purpose` others."""
    return np.random.default_rng((seed, *os.fsencode(name), *(() if purpose is None else (purpose,))))


def check_choices(folder: Path, choices: Choices, published: Published) -> None:
    """Note what the objects of a folder are made with. Raises UserError if they were made with something else."""
    stems = (*published.encoder_stems, published.tokenizer / "model")
    digests = {stem.name: _digest(stem.with_name(f"{stem.name}.safetensors")) for stem in stems}
    wanted = {**asdict(choices), "networks": digests}
    path = folder / CHOSEN
    try:
        there = read_json(path)
    except FileNotFoundError:
        write_json(path, wanted)
        return
    except (OSError, ValueError):
        there = None
    if there != wanted:
        raise UserError(
            "other-preparation",
            f"The objects in {folder} were made with other views, another seed or other networks.",
            "Give the options that they were made with, or another folder.",
        )


def is_prepared(path: Path, *, latents: bool) -> bool:
    """Whether a file is an object of a mesh, with its latents if it can have any."""
    forms = _forms(path)
    if not {"structure", "tokens", "coords"} <= forms.keys():
        return False
    return not latents or "latents" in forms or forms["coords"][0] > MOST_VOXELS


def largest(paths: Iterable[Path]) -> int:
    """The most voxels that an object has, of those that the latents' flow model learns from; 0 without any."""
    counts = [_forms(path).get("coords", [0])[0] for path in paths]
    return max((count for count in counts if count <= MOST_VOXELS), default=0)


def prepare(
    meshes: Mapping[str, Path],
    folder: Path,
    networks: Callable[[], Networks],
    choices: Choices,
    *,
    latents: bool,
    late: Callable[[], bool],
    say: Callable[[str], None],
) -> Sequence[str]:
    """Make what is missing of the meshes' objects, FOLDER/NAME.safetensors, until it is `late`.

    networks: loads them, and is called if anything is to be made. say: is told each object, or why there is none: a
    mesh that cannot be used costs only itself. Returns the names of those. Raises UserError if nothing can be written.
    """
    left_out: list[str] = []
    loaded: Networks | None = None
    for number, (name, file) in enumerate(meshes.items(), start=1):
        path = folder / f"{name}.safetensors"
        if is_prepared(path, latents=latents):
            continue
        if late():
            break
        loaded = loaded or networks()
        try:
            made = _made(path, file, loaded, choices, latents=latents)
        except UserError as error:
            left_out.append(name)
            say(f"{number} of {len(meshes)} is left out, {file}: {error.sentence} {error.advice}")
            continue
        with writing(path) as written:
            written.write(_saved(made))
        say(f"{number} of {len(meshes)}: {path}")
    return left_out


def _made(path: Path, file: Path, networks: Networks, choices: Choices, *, latents: bool) -> dict[str, Tensor]:
    """An object's tensors, on the CPU; what its file has already is taken from there. Raises `UserError`."""
    name, device = path.stem, networks.device
    try:
        parts, places, corners = read_mesh(file)
        vertices, triangles = (torch.from_numpy(part).to(device) for part in (places, corners))
        if is_prepared(path, latents=False):
            made = read_tensors(path)
        else:
            tokens = partial(image_tokens, networks.tokenizer)
            random = random_of(choices.seed, name)
            of_resolution = {"resolution": networks.resolution}
            made = prepared(vertices, triangles, networks.structures, tokens, random, choices.views, **of_resolution)
        if latents and len(made["coords"]) <= MOST_VOXELS:
            cameras = feature_cameras(choices.feature_views, random_of(choices.seed, name, purpose=1))
            made["latents"] = seen_latents(
                painted(parts, made["vertices"].to(device)),
                made["coords"],
                networks.latents,
                partial(patch_tokens, networks.tokenizer),
                cameras,
                resolution=networks.resolution,
            )
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        trouble = UserError(
            "out-of-memory", f"The memory was not enough to prepare “{file.name}”.", "Use a mesh of fewer triangles."
        )
    else:
        return {part: tensor.cpu() for part, tensor in made.items()}
    release(device)  # after the except clause, whose traceback keeps tensors alive
    raise trouble


def _forms(path: Path) -> dict[str, Sequence[int]]:
    """The shapes of a file's tensors, by name, from its header; none if it is not there or damaged."""
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    try:
        with safe_open(path, framework="pt") as file:
            return {name: file.get_slice(name).get_shape() for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError):
        return {}


def _saved(tensors: Mapping[str, Tensor]) -> bytes:
    from safetensors.torch import save  # noqa: PLC0415

    return save({name: tensor.contiguous() for name, tensor in tensors.items()})


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
