# SPDX-License-Identifier: GPL-3.0-or-later
"""A trained network as the published ones are kept: NAME.json with its sizes, NAME.safetensors in half precision."""

import copy
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...safe_files import replacing


def write_network(stem: Path, kind: str, config: Any, network: nn.Module) -> None:  # noqa: ANN401  a config's dataclass
    """Write a network, as `nn.checkpoint.load_network` reads it, each file beside first and then in place.

    The blocks are rounded to float16, as the published ones are; the layers around them and norms stay float32.
    """
    from safetensors.torch import save  # noqa: PLC0415

    halved: Any = copy.deepcopy(network).cpu()
    halved.compute_in(torch.float16)
    tensors = {name: value.contiguous() for name, value in halved.state_dict().items()}
    description = {"name": kind, "args": {**asdict(config), "use_fp16": True}}
    for suffix, content in ((".safetensors", save(tensors)), (".json", json.dumps(description, indent=1).encode())):
        with replacing(stem.with_name(stem.name + suffix)) as file:
            file.write(content)
