# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights in files of torch's own format, of which nothing but tensors is taken.

Such a file is a program that makes its objects (a pickle). Torch runs it with the few functions that make tensors; a
file that asks for any other is refused, and nothing of it has run.
"""

import pickle
import re
from collections.abc import Collection
from pathlib import Path
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
"""What files of PyTorch Lightning ask for beside tensors, to say how the training went."""

_ASKED_FOR = re.compile(r"\bGLOBAL ([\w.]+)")
_SHOWN = 120  # characters of a reason


class Ignored:
    """Stands for an object of a file that nobody needs: it takes anything, and holds nothing."""

    def __init__(self, *_given: object) -> None:
        """It is made of anything."""

    def __setstate__(self, _state: object) -> None:
        """It takes any state."""


def read_torch_file(path: Path, entry: str, ignored: Collection[str] = ()) -> dict[str, Tensor]:
    """The tensors in the dictionary `entry` of a torch file's own dictionary, by name, mapped into memory.

    ignored: full names of classes and functions that the file may ask for; in their places are objects that hold
    nothing. What in `entry` is no tensor is left out. Raises UserError: "weights-missing"; "weights-foreign" if the
    file asks for anything else, which is named; "weights-damaged" if it is truncated, or is no such file.
    """
    try:
        with torch.serialization.safe_globals([(Ignored, name) for name in ignored]):
            content: Any = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
    except FileNotFoundError as error:
        raise missing(path) from error
    except pickle.UnpicklingError as error:
        if asked := _ASKED_FOR.search(str(error)):
            raise UserError(
                "weights-foreign",
                f"{path} asks for {asked[1]:.80}, which no file of weights needs. Nothing of it was used.",
                "It may be harmful. Delete it, and download the published one.",
            ) from error
        raise _unreadable(path, error) from error
    # A truncated file gives an OSError or a RuntimeError, depending on the version of torch; the others: broken inside.
    except (OSError, RuntimeError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise _unreadable(path, error) from error
    tensors = content.get(entry) if isinstance(content, dict) else None
    if not isinstance(tensors, dict):
        raise damaged(f"{path} holds no “{entry}”")
    return {str(name): tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def _unreadable(path: Path, error: Exception) -> UserError:
    why = " ".join(str(error).split()) or type(error).__name__
    return damaged(f"{path} cannot be read: {why:.{_SHOWN}}")
