# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an upscaler's weights, without running what a file may ask for, and makes the network that they are of."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from ..errors import Cancelled, UserError
from ..nn.checkpoint import missing, read_tensors
from ..nn.device import is_out_of_memory
from ..nn.pickled import read_pickled
from .library import spandrel

ANOTHER = "Choose another file in the preferences or by --upscaler, or none."
SUFFIXES = (".safetensors", ".pth", ".pt", ".ckpt")
_COLOURS = 3
_GREATEST = 8  # times: networks that are published enlarge by 2, 3, 4 or 8


@dataclass(frozen=True)
class Upscaler:
    """A network that enlarges pictures.

    run: from float32 (1, 3, H, W), sRGB in [0, 1], to (1, 3, scale H, scale W), about in [0, 1]; of any size, on the
    device that `network` is on. network: its torch module. values: how many numbers its weights are.
    """

    run: Any
    network: Any
    scale: int
    values: int


def read_upscaler(path: Path) -> Upscaler:
    """The network in `path`, in float32 on the CPU. Raises UserError, which names the file, if it holds none."""
    if path.suffix.lower() not in SUFFIXES:
        raise UserError("upscaler-unknown", f"“{path}” is no file of weights: {', '.join(SUFFIXES)}.", ANOTHER)
    try:
        if not path.is_file():
            raise missing(path)
        document = read_tensors(path) if path.suffix.lower() == SUFFIXES[0] else read_pickled(path, mapped=False)
    except UserError as error:
        raise UserError(error.code, error.sentence, ANOTHER) from error
    library = spandrel()
    try:
        tensors = library.canonicalize_state_dict(document) if isinstance(document, dict) else {}
        state = {name: tensor for name, tensor in tensors.items() if isinstance(tensor, Tensor)}
        found = library.ModelLoader().load_from_state_dict(state)
    except Cancelled:
        raise
    except Exception as error:  # networks are guessed by names and shapes: what a wrong guess raises is anything
        if is_out_of_memory(error):
            raise
        sentence = f"“{path}” holds no upscaler that is known here, or only a part of one."
        raise UserError("upscaler-unknown", sentence, ANOTHER) from error
    if found.purpose != "SR" or not 1 < found.scale <= _GREATEST or found.input_channels != _COLOURS:
        sentence = f"“{path}” holds a network ({found.architecture.name}) that does not enlarge pictures in colours."
        raise UserError("upscaler-unknown", sentence, ANOTHER)
    network = found.model.float().eval().requires_grad_(requires_grad=False)
    return Upscaler(found, network, found.scale, sum(tensor.numel() for tensor in state.values()))
