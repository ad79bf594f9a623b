# SPDX-License-Identifier: GPL-3.0-or-later
"""A published file of a model, once, in half precision and by its parts: half the disk's traffic, and no pickle.

Tensors keep their published names. The parts lie in a folder beside the file, which appears when all of it is written;
it is written anew if the file changes.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from ..flow.products import Report
from ..models.published import below
from ..nn.checkpoint import damaged, missing, read_description, read_tensors
from ..nn.pickled import read_module
from ..nn.watching import repeating
from ..safe_files import UNFINISHED, unfinished, write_json
from ..weights import disk
from ..weights.lock import only_process_in
from .model import Model

DESCRIPTION = "description.json"
_FORMAT = 1
_EXACT = ("score",)  # stays as it is: a hundred times its error counts, and it is small


@dataclass(frozen=True)
class Converted:
    """The parts of a model on the disk.

    files: by part; two parts that are equal share one. values: of each part, how many numbers it is.
    """

    folder: Path
    files: Mapping[str, Path]
    values: Mapping[str, int]
    frames: int
    side: int
    heads: Mapping[str, int]


def folder_of(file: Path) -> Path:
    """Where the parts of a published file belong."""
    return file.with_name(f"{file.stem}-fp16")


def converted(file: Path, model: Model, report: Report) -> Converted:
    """The parts of the published `file`; it is converted if that has not been done since it changed.

    file: a .pt file as DeepSpeed saves it, or a .safetensors file. `report` is called before each part and at the end.
    Raises UserError if the file is missing, damaged, not the model's, or names code, if another process changes the
    weights, and if the disk is full.
    """
    with disk.user_errors():
        found = known(file)
        if found is None:
            if not file.is_file():
                raise missing(file)
            with only_process_in(file.parents[1]), repeating(report) as repeated:
                _convert(file, model, repeated)
            found = known(file)
    if found is None:
        raise damaged(f"{folder_of(file)} cannot be used")
    return found


def known(file: Path) -> Converted | None:
    """The parts of the published `file` if they are there and it has not changed since."""
    folder = folder_of(file)
    try:
        description: Any = read_description(folder / DESCRIPTION)
        if description["format"] != _FORMAT or description["file"] != _state_of(file):
            return None
        files = {part: folder / name for part, name in description["files"].items()}
        if not all(path.is_file() for path in files.values()):
            return None
        return Converted(
            folder,
            files,
            description["values"],
            int(description["frames"]),
            int(description["side"]),
            description["heads"],
        )
    except (UserError, OSError, KeyError, TypeError, ValueError, AttributeError):
        return None


def _convert(file: Path, model: Model, report: Report) -> None:
    tensors = read_tensors(file) if file.suffix == ".safetensors" else read_module(file)
    _require_parts(tensors, model, file)
    folder = folder_of(file)
    for left in folder.parent.glob(UNFINISHED):  # by a process that was killed: nobody else changes the weights now
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
    beside = unfinished(folder)
    beside.mkdir()
    try:
        files: dict[str, str] = {}
        values: dict[str, int] = {}
        for number, (part, prefix) in enumerate(model.parts.items()):
            report(number, len(model.parts))
            own = below(tensors, prefix)
            values[part] = sum(tensor.numel() for tensor in own.values())
            if part == "encoder" and _equal(own, below(tensors, model.parts["vae"])):
                files[part] = files["vae"]
                continue
            files[part] = f"{part}.safetensors"
            _save({name: _halved(tensor, part) for name, tensor in own.items()}, beside / files[part])
        description = {
            "format": _FORMAT,
            "file": _state_of(file),
            "files": files,
            "values": values,
            "frames": model.frames,
            "side": model.side,
            "heads": dict(model.heads),
        }
        write_json(beside / DESCRIPTION, description)
        shutil.rmtree(folder, ignore_errors=True)
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    report(1, 1)


def _state_of(file: Path) -> list[int]:
    """What changes with the file: its size, and when it was written in nanoseconds."""
    found = file.stat()
    return [found.st_size, found.st_mtime_ns]


def _require_parts(tensors: Mapping[str, Tensor], model: Model, file: Path) -> None:
    """Raises UserError unless every part is there and every tensor is of a part, or a remnant that is known."""
    for part, prefix in model.parts.items():
        if not any(name.startswith(prefix) for name in tensors):
            raise damaged(f"{file} does not hold the part {part} of the {model.name}")
    starts = tuple(model.parts.values())
    for name in tensors:
        if not name.startswith(starts) and name not in model.remnants:
            raise damaged(f"{file} holds the tensor {name:.120}, which the {model.name} does not have")


def _equal(some: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> bool:
    return some.keys() == others.keys() and all(torch.equal(some[name], others[name]) for name in some)


def _halved(tensor: Tensor, part: str) -> Tensor:
    return (tensor.float() if part in _EXACT else tensor.half()).contiguous()


def _save(tensors: dict[str, Tensor], path: Path) -> None:
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import save_file  # noqa: PLC0415

    try:
        save_file(tensors, path)
    except SafetensorError as error:  # what the disk says comes as text
        raise disk.too_full(str(error)[:200]) from error
