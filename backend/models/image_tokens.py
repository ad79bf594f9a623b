# SPDX-License-Identifier: GPL-3.0-or-later
"""What the flow models see of a picture: image tokens.

The tokens are those of DINOv2 with registers (Oquab et al. 2023; Darcet et al. 2024), taken before the network's own
last norm and normalised without an affine part.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..nn.checkpoint import described, read_description, read_tensors, require_forms
from ..nn.layers import layer_norm32

if TYPE_CHECKING:
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

SIDE = 518  # pixels along the sides of the picture: 37 patches of 14
_EPS = 1e-5


def load_tokenizer(folder: Path) -> "Dinov2WithRegistersModel":
    """The network in `folder`, laid out as facebook/dinov2-with-registers-large: config.json, model.safetensors.

    Raises UserError if a file is missing or damaged, or if a tensor is missing, unknown or of another shape.
    """
    from huggingface_hub.errors import StrictDataclassError  # noqa: PLC0415
    from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel  # noqa: PLC0415

    description, weights = folder / "config.json", folder / "model.safetensors"
    with described(description, "DINOv2 with registers", (StrictDataclassError,)):
        config = Dinov2WithRegistersConfig.from_dict(read_description(description))
        with torch.device("meta"):
            Dinov2WithRegistersModel(config)  # says what is wrong with a size
    return tokenizer(config, read_tensors(weights), str(weights))


def tokenizer(
    config: "Dinov2WithRegistersConfig", tensors: Mapping[str, Tensor], source: str
) -> "Dinov2WithRegistersModel":
    """The network with `tensors`, by their names in the published transformers checkpoint; it gives raw tokens.

    Raises UserError, which names the tensor and `source`, if one is missing, unknown or of another shape.
    """
    from transformers import Dinov2WithRegistersModel  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    require_forms(published_forms(config), tensors, source)
    logging.disable_progress_bar()  # the tensors are used as they are, which takes no time
    # The class renames its parts from one version to the next; only its loading knows the published names.
    network: Any = Dinov2WithRegistersModel.from_pretrained(
        None, config=config, state_dict=dict(tensors), dtype=torch.float32
    )
    network.layernorm = torch.nn.Identity()
    return network.requires_grad_(requires_grad=False).eval()


def published_forms(config: "Dinov2WithRegistersConfig") -> dict[str, Tensor]:
    """The tensors of the published transformers checkpoint, by name, without values, on torch's "meta" device."""
    sizes: Any = config  # typed as numbers or lists; here they are numbers
    wide, hidden, patch = sizes.hidden_size, int(sizes.hidden_size * sizes.mlp_ratio), sizes.patch_size
    shapes: dict[str, tuple[int, ...]] = {
        "embeddings.cls_token": (1, 1, wide),
        "embeddings.mask_token": (1, wide),
        "embeddings.register_tokens": (1, sizes.num_register_tokens, wide),
        "embeddings.position_embeddings": (1, 1 + (sizes.image_size // patch) ** 2, wide),
        "embeddings.patch_embeddings.projection.weight": (wide, sizes.num_channels, patch, patch),
        "embeddings.patch_embeddings.projection.bias": (wide,),
        **_with_bias("layernorm", (wide,)),
    }
    for i in range(sizes.num_hidden_layers):
        block = f"encoder.layer.{i}"
        for layer in ("attention.query", "attention.key", "attention.value", "output.dense"):
            shapes |= _with_bias(f"{block}.attention.{layer}", (wide, wide))
        shapes |= _with_bias(f"{block}.mlp.fc1", (hidden, wide)) | _with_bias(f"{block}.mlp.fc2", (wide, hidden))
        for number in (1, 2):
            shapes |= _with_bias(f"{block}.norm{number}", (wide,))
            shapes[f"{block}.layer_scale{number}.lambda1"] = (wide,)
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def _with_bias(layer: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    return {f"{layer}.weight": shape, f"{layer}.bias": shape[:1]}


@torch.no_grad()  # not inference mode: networks are trained with these tokens
def image_tokens(network: "Dinov2WithRegistersModel", pixels: Tensor) -> Tensor:
    """The tokens of `pixels` (B, 3, 518, 518), ImageNet's mean 0 and deviation 1: float32 (B, 1374, C).

    First the class token, then 4 registers, then the 37 x 37 patches row by row.
    """
    return layer_norm32(network(pixels).last_hidden_state, _EPS)


@torch.no_grad()
def patch_tokens(network: "Dinov2WithRegistersModel", pixels: Tensor) -> Tensor:
    """The patches' tokens of `pixels` (B, 3, H, W) as a grid, without any norm: float32 (B, C, H / 14, W / 14).

    They are what the latents' encoder was trained on, gathered at voxels (TRELLIS; Xiang et al. 2025, section 3.1).
    """
    sizes: Any = network.config  # typed as numbers or lists; here they are numbers
    rows, leading = pixels.shape[2] // sizes.patch_size, 1 + sizes.num_register_tokens
    return network(pixels).last_hidden_state[:, leading:].transpose(1, 2).unflatten(2, (rows, -1)).contiguous()
