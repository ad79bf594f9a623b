# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts published weights into a network, to the last tensor or not at all."""

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ..errors import UserError

_AGAIN = "The file is not the published one, or it is damaged. Delete it and download it again."


def read_config(path: Path, kind: str) -> dict[str, Any]:
    """The arguments in a network's description `path`, a JSON object {"name": kind, "args": {...}}.

    Raises UserError where the file is missing, is no such description, or describes another kind of network.
    """
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        name, arguments = description["name"], dict(description["args"])
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError("weights-damaged", f"{path} does not describe a network: {error!r}.", _AGAIN) from error
    if name != kind:
        raise UserError("weights-damaged", f"{path} describes a {name}, where a {kind} belongs.", _AGAIN)
    return arguments


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in the safetensors file `path`, by name, mapped into memory and read when they are used.

    Raises UserError where the file is missing, cut short or of another format.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise _missing(path) from error
    except (OSError, SafetensorError) as error:
        raise UserError("weights-damaged", f"{path} cannot be read: {error}.", _AGAIN) from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str, unused: Collection[str] = ()) -> None:
    """Makes `tensors` the weights of `network`, without a copy, and switches it to inference.

    The network says what every tensor has to be; it may lie on torch's "meta" device. Names in `unused` are of
    tensors that are published too and that the network has no place for.
    Raises UserError, naming the tensor and `source`, the file or folder it is from, where one is missing or
    foreign, or has another shape or dtype than the network's.
    """
    wanted = network.state_dict()
    faults = [
        *(f"the tensor {name} is missing" for name in wanted if name not in tensors),
        *(f"it has no place for the tensor {name}" for name in tensors if name not in wanted and name not in unused),
        *(
            f"the tensor {name} is {_form(tensors[name])}, where {_form(tensor)} belongs"
            for name, tensor in wanted.items()
            if name in tensors and _form(tensors[name]) != _form(tensor)
        ),
    ]
    if faults:
        more = f" (and {len(faults) - 1} more such faults)" if len(faults) > 1 else ""
        raise UserError("weights-mismatch", f"{source} does not fit the network: {faults[0]}{more}.", _AGAIN)
    network.load_state_dict({name: tensors[name] for name in wanted}, assign=True)
    network.requires_grad_(requires_grad=False).eval()


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"


def _missing(path: Path) -> UserError:
    return UserError("weights-missing", f"{path} is not there.", "Download the weights of this engine first.")
