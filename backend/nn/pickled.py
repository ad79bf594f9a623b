# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads weights that were saved with pickle, without running what a pickle may ask for.

Such a file can name any function to be called while it is read. Only what tensors are made of is allowed here; the
numbers stay in the file until they are used.
"""

import re
from collections.abc import Collection
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .checkpoint import damaged, missing

LIGHTNING = (
    "pytorch_lightning.callbacks.model_checkpoint.ModelCheckpoint",
    "numpy.core.multiarray.scalar",
    "numpy.dtype",
    "_codecs.encode",
)
"""What PyTorch Lightning names in its files beside tensors, to say how the training went."""

_FOREIGN = re.compile(r"(?:GLOBAL|global:?) (?!GLOBAL)([\w.]+)")


class Ignored:
    """Stands for an object of a file that nobody needs: it takes anything, and holds nothing."""

    def __init__(self, *_given: object) -> None:
        """It is made of anything."""

    def __setstate__(self, _state: object) -> None:
        """It takes any state."""


def read_module(path: Path) -> dict[str, Tensor]:
    """The tensors of the network in `path`, as DeepSpeed saves it: below "module", each name prefixed "module.".

    Names come without that prefix. All else in the file, such as the optimizer's state, is left out. Raises UserError
    if the file is missing, damaged, of another layout, or names code that would run.
    """
    document: Any = read_pickled(path)
    tensors = document.get("module") if isinstance(document, dict) else None
    if not isinstance(tensors, dict) or not tensors:
        raise damaged(f"{path} holds no network below “module”")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) or not str(name).startswith("module."):
            raise damaged(f"{path} has {name!r:.80} among its tensors")
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def read_state(path: Path) -> dict[str, Tensor]:
    """The tensors of the network in `path`, as PyTorch Lightning saves it: below "state_dict", by their names.

    What Lightning tells of the training is read as `Ignored`. Raises UserError as `read_module`.
    """
    document: Any = read_pickled(path, LIGHTNING)
    tensors = document.get("state_dict") if isinstance(document, dict) else None
    if not isinstance(tensors, dict) or not tensors:
        raise damaged(f"{path} holds no network below “state_dict”")
    return {str(name): tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def read_pickled(path: Path, ignored: Collection[str] = (), *, mapped: bool = True) -> object:
    """What `path` holds, made of tensors, numbers, words, lists and dictionaries; what `ignored` names is `Ignored`.

    mapped: the numbers stay in the file until they are used, which files of PyTorch before 1.6 do not allow. Raises
    UserError as `read_module`, but for the layout.
    """
    try:
        with torch.serialization.safe_globals([(Ignored, name) for name in ignored]):
            return torch.load(path, map_location="cpu", mmap=mapped, weights_only=True)
    except FileNotFoundError as error:
        raise missing(path) from error
    except UnpicklingError as error:
        named = _FOREIGN.search(str(error))
        if named is None:
            raise damaged(f"{path} cannot be read: it is damaged") from error
        raise UserError(
            "weights-foreign",
            f"{path} names “{named[1]:.80}”, code that weights do not need; it was not run.",
            "Do not use this file. Delete it and download the published one.",
        ) from error
    # OSError and RuntimeError: torch's versions differ in what they raise for a file that is cut short.
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise damaged(f"{path} cannot be read: it is cut short, or it is no file of weights") from error
