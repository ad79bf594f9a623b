# SPDX-License-Identifier: GPL-3.0-or-later
"""The small networks in one folder of trainings: where each is, and how the engine `hi3dgen` finds them.

The folder holds a training of each, in a folder of its name. Of a training the weights that count are those of
the cooling that branched off last, or of the trunk if there was none.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from ...errors import UserError
from ...nn.checkpoint import read_tensors
from ...safe_files import replacing, write_json
from ...weights.catalogue import CONDITIONER, GEOMETRY

TOKENS, STRUCTURES, LATENTS = "shape-tokens", "structure-autoencoder", "latent-autoencoder"
STRUCTURE_FLOW, LATENT_FLOW = "structure-flow", "latent-flow"
"""The trainings' folders, in the order in which they need each other."""

NORMALIZATION, SCALE = "normalization.json", "structure.json"
"""Beside encoded objects: the scales of their latents, and {"scale": …} of their structures'."""

_FIRST = "input_layer.weight"

_ROLES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "sparse_structure_flow_model": (STRUCTURE_FLOW, ""),
        "sparse_structure_decoder": (STRUCTURES, "-decoder"),
        "slat_flow_model": (LATENT_FLOW, ""),
        "slat_decoder_mesh": (LATENTS, "-decoder"),
    }
)
"""Of pipeline.json: the training that each network is from, and how its files' stem ends."""


def newest(folder: Path, part: str, ending: str = "") -> Path:
    """The stem of a training's weights, FOLDER/PART/STAGE and the ending. Raises UserError if there are none."""
    suffix = "" if part == TOKENS else ".json"  # tokens are a folder of files
    names = [path.name for path in (folder / part).glob(f"cool-*{ending}{suffix}")]
    steps = [name.removeprefix("cool-").removesuffix(f"{ending}{suffix}") for name in names]
    cooled = [step for step in steps if step.isdecimal()]
    stem = folder / part / ((f"cool-{max(cooled, key=int)}" if cooled else "trunk") + ending)
    if not stem.with_name(stem.name + suffix).exists():
        sentence = f"The training in {folder / part} has written no weights yet."
        raise UserError("not-trained", sentence, "A training writes them when it ends: give it --minutes or --steps.")
    return stem


def gather(folder: Path, encoded: Path, weights: Path) -> None:
    """Copy the networks into WEIGHTS as the engine reads them. encoded: the objects that the flow models learned from.

    Raises UserError if one of them is missing.
    """
    stems = [file.removesuffix(".safetensors") for file in GEOMETRY.files if file.endswith(".safetensors")]
    found = [newest(folder, part, ending) for part, ending in _ROLES.values()]
    tokens = newest(folder, TOKENS)
    scales, scale = numbers(encoded / NORMALIZATION, "mean", "std"), numbers(encoded / SCALE, "scale")["scale"]
    for stem, source in zip(stems, found, strict=True):
        for suffix in (".json", ".safetensors"):
            _copy(source.with_name(source.name + suffix), weights / GEOMETRY.name / f"{stem}{suffix}")
        if source.parent.name == STRUCTURES:
            _scaled(weights / GEOMETRY.name / f"{stem}.safetensors", scale)
    models = dict(zip(_ROLES, stems, strict=True))
    pipeline = {"name": "TrellisImageTo3DPipeline", "args": {"models": models, "slat_normalization": scales}}
    write_json(weights / GEOMETRY.name / "pipeline.json", pipeline)
    for file in CONDITIONER.files:
        _copy(tokens / file, weights / CONDITIONER.name / file)


def numbers(path: Path, *names: str) -> dict[str, Any]:
    """What a file of scales holds under these names: numbers, or lists of them. Raises UserError if it does not."""
    try:
        found = json.loads(path.read_text("utf-8"))
        return {name: np.asarray(found[name], np.float64).tolist() for name in names}
    except (OSError, ValueError, TypeError, LookupError, RecursionError) as error:
        sentence = f"The scales in {path} cannot be read."
        raise UserError("other-object", sentence, "Run `train encode-shapes` to its end, which writes them.") from error


def _scaled(path: Path, scale: float) -> None:
    """Let a structure's decoder take latents that were divided by a scale."""
    from safetensors.torch import save  # noqa: PLC0415

    tensors = read_tensors(path)
    content = save({**tensors, _FIRST: tensors[_FIRST] * scale})
    with replacing(path) as file:
        file.write(content)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as file, replacing(target) as written:
        shutil.copyfileobj(file, written)
