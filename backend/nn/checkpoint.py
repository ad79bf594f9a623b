# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads published weights into a network: all tensors, or none."""

import json
from collections.abc import Callable, Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from ..errors import UserError
from .device import is_out_of_memory

# TypeError and AttributeError: a word or a list for a number. ArithmeticError: a division by zero heads, an overflow.
_WRONG_SIZE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError, AssertionError, RuntimeError)
_AGAIN = "The file is not the published one, or it is damaged. Delete it and download it again."


N = TypeVar("N", bound=nn.Module)


def load_network(stem: Path, kind: str, build: Callable[..., N]) -> N:
    """The network that STEM.json describes, made by `build` from its arguments, with the weights in STEM.safetensors.

    The weights are mapped into memory and not copied: moving the network to a device reads them.
    Raises UserError if a file is missing or damaged, or does not fit the network that `kind` names.
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

    Raises UserError if the file is missing, is not such a description, or describes another kind of network.
    """
    description = read_description(path)
    name, arguments = description.get("name"), description.get("args")
    if name != kind or not isinstance(arguments, dict):
        raise damaged(f"{path} describes a {name!r:.60} instead of a {kind}")
    return arguments


@contextmanager
def described(source: Path | str, kind: str, wrong: tuple[type[Exception], ...] = ()) -> Generator[None]:
    """Raises UserError if a network cannot be built, inside the context, with the sizes that `source` describes.

    Torch and other libraries raise errors of several types for an invalid size; `wrong` adds a library's own. Errors
    that no size causes pass through: memory that runs out, a file or a library that is missing, an operation that torch
    lacks. Build on torch's "meta" device, on which no size needs memory.
    """
    try:
        yield
    except (*_WRONG_SIZE, *wrong) as error:
        if isinstance(error, NotImplementedError) or is_out_of_memory(error):
            raise
        why = " ".join(str(error).split())
        raise damaged(f"{source} describes no {kind}: {why:.200}") from error


def read_description(path: Path) -> dict[str, Any]:
    """The JSON object in `path`. Raises UserError if the file is missing or holds something else."""
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, ValueError, RecursionError) as error:  # the last: it is nested too deep
        raise damaged(f"{path} cannot be read: {error}") from error
    if not isinstance(description, dict):
        raise damaged(f"{path} does not describe a network")
    return description


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The tensors in the safetensors file `path`, by name, mapped into memory and read when they are used.

    Raises UserError if the file is missing, truncated or of another format.
    """
    from safetensors import SafetensorError  # noqa: PLC0415
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        return load_file(path)
    except FileNotFoundError as error:
        raise missing(path) from error
    except (OSError, SafetensorError) as error:
        raise damaged(f"{path} cannot be read: {error}") from error


def read_parts(
    folder: Path, parts: Sequence[str]
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Tensor]], torch.dtype]:
    """The descriptions and the tensors of networks that diffusers has laid out in `folder`, by part, and their dtype.

    Those in half precision are taken if the first part has them. Raises UserError if a file is missing or damaged.
    """
    configs = {part: read_description(folder / part / "config.json") for part in parts}
    name, dtype = "diffusion_pytorch_model.fp16.safetensors", torch.float16
    if not (folder / parts[0] / name).exists():
        name, dtype = "diffusion_pytorch_model.safetensors", torch.float32
    return configs, {part: read_tensors(folder / part / name) for part in parts}, dtype


def count_values(path: Path) -> int:
    """How many numbers the safetensors file `path` holds, from its header. Raises UserError as `read_tensors` does."""
    return sum(tensor.numel() for tensor in read_tensors(path).values())


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str, unused: Collection[str] = ()) -> None:
    """Makes `tensors` the weights of `network`, without a copy, and switches it to inference.

    Every tensor has to have the name, the shape and the dtype that it has in the network, which may be on torch's
    "meta" device. Tensors named in `unused` may be there too, and are left out. To train the network afterwards, call
    its `train()` and `requires_grad_()`. Raises UserError, which names the tensor and its `source`, a file or folder,
    if a tensor is missing or unknown, or has another shape or dtype.
    """
    wanted = network.state_dict()
    require_forms(wanted, tensors, source, unused)
    network.load_state_dict({name: tensors[name] for name in wanted}, assign=True)
    network.requires_grad_(requires_grad=False).eval()


def require_forms(
    wanted: Mapping[str, Tensor], tensors: Mapping[str, Tensor], source: str, unused: Collection[str] = ()
) -> None:
    """Raises UserError unless `tensors` have the names, shapes and dtypes of `wanted`, whose values do not matter.

    It names `source` and the first tensor that is missing, unknown (and not in `unused`) or of another form.
    """
    faults = [
        *(f"the tensor {name} is missing" for name in wanted if name not in tensors),
        *(f"it has no place for the tensor {name}" for name in tensors if name not in wanted and name not in unused),
        *(
            f"the tensor {name} is {_form(tensors[name])} instead of {_form(tensor)}"
            for name, tensor in wanted.items()
            if name in tensors and _form(tensors[name]) != _form(tensor)
        ),
    ]
    if faults:
        more = f" (and {len(faults) - 1} more such faults)" if len(faults) > 1 else ""
        raise UserError("weights-mismatch", f"{source} does not fit the network: {faults[0]}{more}.", _AGAIN)


@contextmanager
def given_by(option: str) -> Generator[None]:
    """Raises the errors of weights that a person has named by `option` with advice for them, not to download any."""
    try:
        yield
    except UserError as error:
        if error.code not in ("weights-missing", "weights-damaged", "weights-mismatch"):
            raise
        advice = f"Check {option}: it takes STEM of two whole files, STEM.json and STEM.safetensors, of such a network."
        raise UserError(error.code, error.sentence, advice) from error


def missing(path: Path) -> UserError:
    """The error for a file of weights that is missing."""
    return UserError("weights-missing", f"{path} is not there.", "Download the weights of this engine first.")


def damaged(sentence: str) -> UserError:
    """The error for a damaged file of weights, with a `sentence` without its full stop."""
    return UserError("weights-damaged", f"{sentence}.", _AGAIN)


def _form(tensor: Tensor) -> str:
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
