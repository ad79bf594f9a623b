# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a training runs: on the CPU, on a GPU, or as several processes with a GPU each (accelerate).

Several processes each train on pictures of their own, and their gradients are averaged before every step, so that all
hold the same weights. Start them with `accelerate launch -m backend train …`.
"""

import atexit
import os
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Devices:
    """The device of this process, which of how many processes it is, and accelerate if there are several."""

    device: torch.device
    index: int = 0
    count: int = 1
    accelerator: Any = None

    def spread(self, network: nn.Module) -> nn.Module:
        """Return a network whose gradients are averaged over all processes; its weights are the given one's."""
        return network if self.accelerator is None else self.accelerator.prepare_model(network)

    def backward(self, loss: Tensor) -> None:
        """Work out the gradients of all processes."""
        if self.accelerator is None:
            loss.backward()
        else:
            self.accelerator.backward(loss)

    def mean(self, values: Tensor) -> Tensor:
        """Return the mean of a tensor over all processes."""
        return values if self.accelerator is None else self.accelerator.reduce(values, "mean")

    def together(self, values: list[float]) -> list[float]:
        """Return the lists of all processes, one behind the other."""
        if self.accelerator is None:
            return values
        from accelerate.utils import gather_object  # noqa: PLC0415 - only several processes need it

        return gather_object(values)

    def agree(self, *, wish: bool) -> bool:
        """Return what the first process wishes, so that all stop at the same step."""
        if self.accelerator is None:
            return wish
        flag = torch.tensor([wish and self.index == 0], dtype=torch.int32, device=self.device)
        return bool(self.accelerator.reduce(flag, "sum").item())


def devices() -> Devices:
    """Find out where this process trains: accelerate decides if it has started several."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        from accelerate import Accelerator  # noqa: PLC0415 - only several processes need it

        several = Accelerator()
        atexit.register(several.end_training)  # its threads abort a process that ends before them
        return Devices(several.device, several.process_index, several.num_processes, several)
    return Devices(torch.device("cuda" if torch.cuda.is_available() else "cpu"))


def lowered(precision: Literal["bf16", "fp32"], device: torch.device) -> torch.autocast:
    """Return a context in which convolutions and products run in a precision."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
