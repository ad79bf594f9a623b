# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads weights that were saved with pickle, without running what a pickle may ask for.

Such a file can name any function to be called while it is read. Only what tensors are made of is allowed here; the
numbers stay in the file until they are used.
"""

import re
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from ..errors import UserError
from .checkpoint import damaged, missing

_FOREIGN = re.compile(r"(?:GLOBAL|global:?) ([\w.]+\.[\w.]+)")


def read_module(path: Path) -> dict[str, Tensor]:
    """The tensors of the network in `path`, as DeepSpeed saves it: below "module", each name prefixed "module.".

    Names come without that prefix. All else in the file, such as the optimizer's state, is left out. Raises UserError
    if the file is missing, damaged, of another layout, or names code that would run.
    """
    document: Any = _read(path)
    tensors = document.get("module") if isinstance(document, dict) else None
    if not isinstance(tensors, dict) or not tensors:
        raise damaged(f"{path} holds no network below “module”")
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor) or not str(name).startswith("module."):
            raise damaged(f"{path} has {name!r:.80} among its tensors")
    return {name.removeprefix("module."): tensor for name, tensor in tensors.items()}


def _read(path: Path) -> object:
    try:
        return torch.load(path, map_location="cpu", mmap=True, weights_only=True)
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
    except (OSError, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise damaged(f"{path} cannot be read: it is cut short, or it is no file of weights") from error
