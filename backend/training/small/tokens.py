# SPDX-License-Identifier: GPL-3.0-or-later
"""The network that reads a normal map for both flow models: a small DINOv2 with registers, in the engine's own class.

The published one has learned from millions of photographs. Ours learns what the flow models ask it for: at every patch
a linear layer reads from its token what is seen there, what is behind it, and which voxels of its column the surface
passes through. That layer is thrown away; the tokens, trained before the flow models and then fixed, are those of
`models.image_tokens`.

The last channels of a token say its place alone, from the first step to the last: ones at its row and its column. So a
flow model finds the patches above its cells in a few hundred steps, whatever else the tokens hold. And what all tokens
have in common is taken from them before their last norm: else that is most of what a flow model sees.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from ...flow.products import Picture
from ...models.image_tokens import published_forms, tokenizer
from ...models.imagenet import DEVIATION, MEAN
from ...nn.layers import layer_norm32, position_embedding
from ...safe_files import replacing
from ..core.curve import Quantity
from ..norld.occupancy import cross_entropy, dice
from ..norld.voxelise import occupancy
from .config import TokensConfig
from .structures import missing
from .task import Objects
from .views import CELLS, RESOLUTION

if TYPE_CHECKING:
    from transformers import Dinov2WithRegistersConfig

_SHEETS = 9  # numbers in a cell, see `views.sheets`
_PLANES = _SHEETS + RESOLUTION  # and the voxels of its column, which is as wide as a cell
_REGISTERS = 4
_LOUD = 6.0  # what places are marked with, before the last norm
_SEEN = 0.02  # of the last pictures in the mean of all
_EPS = 1e-5


class TokenNetwork(nn.Module):
    """The transformer, and the layer that is trained with it."""

    def __init__(self, config: TokensConfig) -> None:
        from transformers import Dinov2WithRegistersModel  # noqa: PLC0415

        super().__init__()
        self.config = config
        self.backbone: Any = Dinov2WithRegistersModel(described(config))
        self.backbone.layernorm = nn.Identity()  # as `load_tokenizer` has it
        _spread(self.backbone, config)
        _place(self.backbone, config)
        self.cells = CELLS * config.patch // config.pixels  # along a patch
        self.head = nn.Linear(config.channels, _PLANES * self.cells**2)
        self.middle: Tensor
        self.register_buffer("middle", torch.zeros(config.channels))

    def forward(self, pixels: Tensor) -> Tensor:
        """What is in each cell, (B, 41, 32, 32), for normalised pixels (B, 3, S, S).

        First the sheets, of which the first are log-odds; then the log-odds of the voxels along y.
        """
        raw = self.backbone(pixels).last_hidden_state[:, 1 + _REGISTERS :].float()
        side = self.config.pixels // self.config.patch
        if torch.is_grad_enabled():
            free = self.config.channels - 2 * side
            self.middle[:free].lerp_(raw.detach().mean((0, 1))[:free], _SEEN)
        tokens = layer_norm32(raw - self.middle, _EPS)
        read = self.head(tokens).unflatten(1, (side, side)).unflatten(3, (_PLANES, self.cells, self.cells))
        return read.permute(0, 3, 1, 4, 2, 5).flatten(4).flatten(2, 3)


@torch.no_grad()
def _spread(backbone: Any, config: TokensConfig) -> None:  # noqa: ANN401  the library's class
    """Let a transformer of few channels see places and hear its layers from the first step on.

    The library's own weights are those of a wide one, which learns for weeks: its layers add next to nothing at first,
    and a patch's place is drowned by its colours. Layers get Glorot's weights, places sines and cosines.
    """
    for layer in backbone.encoder.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    side = config.pixels // config.patch
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    places = torch.stack([rows, columns, torch.zeros_like(rows)], dim=-1).flatten(0, 1)
    backbone.embeddings.position_embeddings[0, 1:] = position_embedding(places, config.channels)


@torch.no_grad()
def _place(backbone: Any, config: TokensConfig) -> None:  # noqa: ANN401  the library's class
    """Let the last channels hold each patch's row and column, which nothing is added to and no gradient moves."""
    side = config.pixels // config.patch
    embeddings, first = backbone.embeddings, config.channels - 2 * side
    free = (torch.arange(config.channels) < first).float()
    scales = [value for name, value in backbone.named_parameters() if name.endswith("lambda1")]
    projection = embeddings.patch_embeddings.projection
    along = [*scales, projection.bias, embeddings.cls_token, embeddings.register_tokens, embeddings.position_embeddings]
    for value, mask in [*((value, free) for value in along), (projection.weight, free[:, None, None, None])]:
        value.mul_(mask)
        value.register_hook(mask.mul)
    rows, columns = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="ij")
    for places, start in ((rows, first), (columns, first + side)):
        embeddings.position_embeddings[0, 1:, start : start + side] = _LOUD * torch.eye(side)[places.flatten()]


@dataclass(frozen=True)
class Tokens:
    """The training of a `TokenNetwork`: a `task.Part`."""

    config: TokensConfig

    @property
    def quantity(self) -> Quantity:
        """How far the place where rays leave the object is off."""
        return Quantity("back", "%")

    def make(self) -> nn.Module:
        """Make the network."""
        return TokenNetwork(self.config)

    def varied(self, tensors: Mapping[str, Tensor], random: np.random.Generator | None) -> dict[str, Tensor]:
        """The map of true or of estimated normals, normalised float32 (3, S, S), and what is in cells (41, 32, 32)."""
        which = 0 if random is None else int(random.integers(len(tensors["pictures"])))
        columns = occupancy(tensors["coords"].int(), RESOLUTION)[0, 0].permute(1, 2, 0).flip(1)  # row 0 on top
        picture, sheets = tensors["pictures"][which], torch.cat([tensors["sheets"].float(), columns])
        if random is not None and random.random() < 0.5:
            picture, sheets = mirrored(picture, sheets)
        return {"pixels": normalised(picture), "sheets": sheets}

    def loss(self, network: nn.Module, objects: Objects, noise: torch.Generator | None) -> dict[str, Tensor]:  # noqa: ARG002
        """What is object, its depths and its normals on both sides, and the voxels that its surface passes through."""
        found = network(torch.stack([each["pixels"] for each in objects]))
        true = torch.stack([each["sheets"] for each in objects])
        share = true[:, :1]
        area = share.sum().clamp_min(1)
        front, back = ((found[:, k] - true[:, k]).abs() for k in (1, 2))
        turns = [1 - functional.cosine_similarity(found[:, k : k + 3], true[:, k : k + 3], dim=1) for k in (3, 6)]
        terms = {
            "entropy": functional.binary_cross_entropy_with_logits(found[:, :1], share),
            "front": 100 * (front * share[:, 0]).sum() / area,
            "back": 100 * (back * share[:, 0]).sum() / area,
            "before": (turns[0] * share[:, 0]).sum() / area,
            "behind": (turns[1] * share[:, 0]).sum() / area,
            "missing": 100 * missing(found[:, _SHEETS:] > 0, true[:, _SHEETS:] > 0),
        }
        depth = 0.1 * (terms["front"] + terms["back"])
        voxels = sum(each(found[:, _SHEETS:], true[:, _SHEETS:]) for each in (dice, cross_entropy))
        return {"loss": terms["entropy"] + depth + 0.5 * terms["before"] + 0.5 * terms["behind"] + voxels, **terms}

    def sheet(self, network: nn.Module, objects: Objects) -> Picture:
        """The map, then both depths and the normals behind, true and found."""
        found = network(torch.stack([each["pixels"] for each in objects])).cpu()
        rows: list[Picture] = []
        for each, answer in zip(objects, found, strict=True):
            pixels = each["pixels"].cpu() * _colour(DEVIATION) + _colour(MEAN)
            true = each["sheets"].cpu()
            panels = [pixels]
            for sheets in (true, torch.cat([(answer[:1] > 0).float(), answer[1:]])):
                depths = [(sheets[k : k + 1] + 0.5).expand(3, -1, -1) for k in (1, 2)]
                panels += [torch.where(sheets[:1] > 0.5, shown, 1) for shown in (*depths, sheets[6:9] / 2 + 0.5)]
            side = self.config.pixels
            enlarged = [functional.interpolate(panel[None], (side, side))[0].clamp(0, 1) for panel in panels]
            rows.append((torch.cat(enlarged, dim=2) * 255).round().byte().permute(1, 2, 0).numpy())
        return np.vstack(rows)

    def export(self, stem: Path, network: nn.Module) -> None:
        """Write the transformer into the folder STEM as the published one is laid out."""
        from safetensors.torch import save  # noqa: PLC0415

        assert isinstance(network, TokenNetwork)  # noqa: S101  `make` made it
        config = described(self.config)
        tensors = {name: value.contiguous().cpu() for name, value in published_tensors(network, config).items()}
        stem.mkdir(exist_ok=True)
        description = json.dumps(config.to_dict(), indent=1, default=str).encode()
        for name, content in (("model.safetensors", save(tensors)), ("config.json", description)):
            with replacing(stem / name) as file:
                file.write(content)


def published_tensors(network: TokenNetwork, config: "Dinov2WithRegistersConfig") -> dict[str, Tensor]:
    """The transformer's weights under their published names, as `load_tokenizer` reads them.

    The library renames its parts from one version to the next, and only its loading knows both names: a tensor full of
    its number is loaded for each, and found again by that. The last norm, which ours does not have, changes nothing;
    the last bias takes from all tokens what they have in common.
    """
    forms = published_forms(config)
    marked = {name: torch.full(form.shape, float(i)) for i, (name, form) in enumerate(forms.items())}
    loaded: Any = tokenizer(config, marked, "the numbered tensors")
    own = network.backbone.state_dict()
    found = {name: int(value.flatten()[0]) for name, value in loaded.state_dict().items()}
    by_number = {number: own[name] for name, number in found.items()}
    last = {
        name: torch.full(forms[name].shape, float(name.endswith("weight")))
        for name in forms
        if name.startswith("layernorm.")
    }
    tensors = {name: last[name] if name in last else by_number[i] for i, name in enumerate(forms)}
    final = f"encoder.layer.{config.num_hidden_layers - 1}"
    bias, scale = tensors[f"{final}.mlp.fc2.bias"], tensors[f"{final}.layer_scale2.lambda1"]
    less = torch.where(network.middle == 0, 0, network.middle / scale)
    return {**tensors, f"{final}.mlp.fc2.bias": bias - less}


def described(config: TokensConfig) -> "Dinov2WithRegistersConfig":
    """The sizes as the library's class takes them."""
    from transformers import Dinov2WithRegistersConfig  # noqa: PLC0415

    return Dinov2WithRegistersConfig(
        hidden_size=config.channels,
        num_hidden_layers=config.layers,
        num_attention_heads=config.heads,
        image_size=config.pixels,
        patch_size=config.patch,
        num_register_tokens=_REGISTERS,
    )


def normalised(picture: Tensor) -> Tensor:
    """A picture uint8 (3, S, S) with ImageNet's mean 0 and deviation 1, float32."""
    return (picture.float() / 255 - _colour(MEAN)) / _colour(DEVIATION)


def mirrored(picture: Tensor, sheets: Tensor) -> tuple[Tensor, Tensor]:
    """A normal map uint8 (3, S, S) and its sheets (9 or more, 32, 32) with left and right exchanged."""
    picture, sheets = picture.flip(-1), sheets.flip(-1).clone()
    white = (picture == 255).all(0)  # the ground
    picture = torch.cat([torch.where(white, picture[:1], 255 - picture[:1]), picture[1:]])
    sheets[[3, 6]] = -sheets[[3, 6]]
    return picture, sheets


def _colour(values: tuple[float, ...]) -> Tensor:
    return torch.tensor(values)[:, None, None]
