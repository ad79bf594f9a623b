# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts published weights into a network, to the last tensor or not at all."""

import json
from collections.abc import Callable, Collection, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import UserError

_AGAIN = "The file is not the published one, or it is damaged. Delete it and download it again."


N = TypeVar("N", bound=nn.Module)


def load_network(stem: Path, kind: str, build: Callable[..., N]) -> N:
    """The network that STEM.json describes, made by `build` from its arguments, with the weights in STEM.safetensors.

    The weights are mapped into memory and not copied: moving the network to a device reads them.
    Raises UserError where a file is missing or damaged, or does not fit the network that `kind` names.
    """
    description = stem.with_name(f"{stem.name}.json")
    arguments = read_config(description, kind)
    with described(description, kind), torch.device("meta"):
        network = build(**arguments)
    weights = stem.with_name(f"{stem.name}.safetensors")
    fill(network, read_tensors(weights), str(weights))
    return network


def read_config(path: Path, kind: str) -> dict[str, Any]:
    """The arguments in a network's description `path`, a JSON object {"name": kind, "args": {...}}.

    Raises UserError where the file is missing, is no such description, or describes another kind of network.
    """
    description = read_description(path)
    name, arguments = description.get("name"), description.get("args")
    if name != kind or not isinstance(arguments, dict):
        raise damaged(f"{path} describes a {name!r:.60}, where a {kind} belongs")
    return arguments


@contextmanager
def described(source: Path | str, kind: str) -> Generator[None]:
    """Where a network is built as `source` describes it: raises UserError where its sizes are none.

    Libraries answer a wrong size with errors of any kind. Build on torch's "meta" device, so that none is of memory.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        why = " ".join(str(error).split())
        raise damaged(f"{source} describes no {kind}: {why:.200}") from error


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises UserError where the file is missing or something else."""
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, ValueError) as error:
        raise damaged(f"{path} cannot be read: {error}") from error
    if not isinstance(description, dict):
        raise damaged(f"{path} does not describe a network")
    return description


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in the safetensors file `path`, by name, mapped into memory and read when they are used.

    Raises UserError where the file is missing, cut short or of another format.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, SafetensorError) as error:
        raise damaged(f"{path} cannot be read: {error}") from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str, unused: Collection[str] = ()) -> None:
    """Makes `tensors` the weights of `network`, without a copy, and switches it to inference.

    The network says what every tensor has to be; it may lie on torch's "meta" device. Names in `unused` are of
    tensors that are published too and that the network has no place for.
    Raises UserError, naming the tensor and `source`, the file or folder it is from, where one is missing or
    foreign, or has another shape or dtype than the network's.
    """
    wanted = network.state_dict()
    require_forms(wanted, tensors, source, unused)
    network.load_state_dict({name: tensors[name] for name in wanted}, assign=True)
    network.requires_grad_(requires_grad=False).eval()


def require_forms(
    wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: str, unused: Collection[str] = ()
) -> None:
    """Raises UserError where `tensors` are not, by name, shape and dtype, those `wanted`, whose values do not count.

    It names the first tensor that is missing, foreign (and not in `unused`) or of another form, and `source`.
    """
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


def missing(path: Path) -> UserError:
    """What to raise where a file of weights is not there."""
    return UserError("weights-missing", f"{path} is not there.", "Download the weights of this engine first.")


def damaged(sentence: str) -> UserError:
    """What to raise where a file of weights is not what it should be, as `sentence` (without its full stop) says."""
    return UserError("weights-damaged", f"{sentence}.", _AGAIN)


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
