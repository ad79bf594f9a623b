# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts as Stable Diffusion reads them: CLIP's text encoder (Radford et al. 2021), in OpenCLIP's weights."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..nn.checkpoint import described, fill, missing, read_description, read_tensors

if TYPE_CHECKING:
    from transformers import CLIPTextModel, CLIPTokenizer

_TOKENIZER = ("merges.txt", "vocab.json")
_PREFIX = "text_model."
_UNUSED = (f"{_PREFIX}embeddings.position_ids",)  # a buffer that older versions of the library stored


@dataclass(frozen=True)
class TextEncoder:
    """The network, and what splits a text into the tokens that it reads."""

    network: "CLIPTextModel"
    tokenizer: "CLIPTokenizer"

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "TextEncoder":
        """Moves the network to the device and the dtype that it computes in."""
        nn.Module.to(self.network, device=device, dtype=dtype)
        return self

    @torch.inference_mode()
    def embed(self, texts: Sequence[str]) -> Tensor:
        """The texts, float32 (B, N, C) on the CPU, N being the network's length; a text that is longer is cut."""
        tokenizer: Any = self.tokenizer
        length = self.network.config.max_position_embeddings
        tokens = tokenizer([*texts], padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        found: Any = self.network(tokens.input_ids.to(self.network.device))
        return found.last_hidden_state.float().cpu()


def load_text_encoder(folder: Path) -> TextEncoder:
    """The encoder in `folder`, laid out as Stable Diffusion by diffusers: `text_encoder` and `tokenizer`.

    The weights in half precision are taken if there are any. Raises UserError if a file is missing or damaged, or if a
    tensor is missing, unknown or of another shape.
    """
    weights, dtype = folder / "text_encoder" / "model.fp16.safetensors", torch.float16
    if not weights.exists():
        weights, dtype = weights.with_name("model.safetensors"), torch.float32
    config = read_description(folder / "text_encoder" / "config.json")
    network = build_text_encoder(config, read_tensors(weights), dtype, str(weights))
    return TextEncoder(network, _load_words(folder / "tokenizer"))


def build_text_encoder(
    config: dict[str, Any], tensors: Mapping[str, Tensor], dtype: torch.dtype, source: str
) -> "CLIPTextModel":
    """The network that `config` describes, with the weights `tensors` of `dtype`, by their published names.

    Raises UserError, which names the tensor and `source`, if one is missing, unknown or of another shape.
    """
    from huggingface_hub.errors import StrictDataclassError  # noqa: PLC0415
    from transformers import CLIPTextConfig, CLIPTextModel  # noqa: PLC0415

    with described(source, "text encoder", (StrictDataclassError,)), torch.device("meta"):
        sizes = CLIPTextConfig.from_dict(config)
        network: Any = nn.Module.to(CLIPTextModel(sizes), dtype)
    # Newer versions of the library leave the prefix out.
    own = {name.removeprefix(_PREFIX): name for name in network.state_dict()}
    given = {own.get(name.removeprefix(_PREFIX), name): tensor for name, tensor in tensors.items()}
    fill(network, given, source, _UNUSED)
    for part in network.modules():
        if "position_ids" in dict(part.named_buffers(recurse=False)):  # counted, not stored
            part.position_ids = torch.arange(sizes.max_position_embeddings)[None]
    return network


def _load_words(folder: Path) -> "CLIPTokenizer":
    from transformers import CLIPTokenizer  # noqa: PLC0415

    for name in _TOKENIZER:
        if not (folder / name).is_file():
            raise missing(folder / name)
    with described(folder, "tokenizer", (Exception,)):  # the library raises no other type for a bad vocabulary
        return CLIPTokenizer.from_pretrained(folder, local_files_only=True)
