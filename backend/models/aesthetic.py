# SPDX-License-Identifier: GPL-3.0-or-later
"""How much people like a picture, as Hi3D's first stage is told: a linear score of a CLIP feature.

The published network (LAION's aesthetic predictor, linear MSE) is five linear layers without activations, so that it is
one vector and one number. It computes in float32: an error of the score is multiplied by 100 later.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..nn.checkpoint import require_forms
from .clip_tower import normalised

LAYERS = (0, 2, 4, 6, 7)
"""The numbers of the published layers; between them was dropout."""

_ROWS, _COLUMNS, _LEFT, _SIDE = 224, 384, 80, 224


@dataclass(frozen=True)
class Score:
    """The score of a CLIP feature of length one: its product with `weight` (C,), plus `bias`. Both float32."""

    weight: Tensor
    bias: Tensor

    def of(self, feature: Tensor) -> Tensor:
        """The scores (B,), float32, of features (B, C) of any length; one of length zero stays zero."""
        feature = feature.float()
        length = feature.norm(dim=-1, keepdim=True)
        return (feature / torch.where(length == 0, 1, length)) @ self.weight.to(feature.device) + self.bias.item()


def score_from_published(tensors: Mapping[str, Tensor], source: str) -> Score:
    """The score whose layers are `layers.0`, `.2`, `.4`, `.6` and `.7` of published `tensors`.

    Raises UserError, which names the tensor and its `source`, if one is missing, unknown, or does not fit the others.
    """
    require_forms(_forms(tensors), tensors, source)
    weight, bias = torch.eye(tensors["layers.0.weight"].shape[1], dtype=torch.float64), torch.zeros(1)
    for layer in LAYERS:
        matrix, added = (tensors[f"layers.{layer}.{kind}"].double() for kind in ("weight", "bias"))
        weight, bias = matrix @ weight, matrix @ bias.double() + added if layer else added
    return Score(weight[0].float(), bias[0].float())


def seen_by_score(pictures: Tensor) -> Tensor:
    """What CLIP's picture tower gets of `pictures` (B, 3, H, W) in [-1, 1] for the score: (B, 3, 224, 224).

    They are resampled to 224 rows of 384 pixels, whatever their aspect, of which the middle is kept.
    """
    wide = functional.interpolate(pictures, (_ROWS, _COLUMNS), mode="bilinear", align_corners=False)
    return normalised((wide[..., _LEFT : _LEFT + _SIDE] + 1) / 2)


def _forms(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors that there have to be: each layer takes what the one before gives, and the last gives one number."""
    first = tensors.get("layers.0.weight")
    before = first.shape[-1] if first is not None and first.ndim else 1
    forms: dict[str, Tensor] = {}
    for layer in LAYERS:
        given = tensors.get(f"layers.{layer}.bias")
        after = 1 if layer == LAYERS[-1] else len(given) if given is not None and given.ndim else 1
        dtype = None if given is None else given.dtype
        forms[f"layers.{layer}.weight"] = torch.empty(after, before, dtype=dtype, device="meta")
        forms[f"layers.{layer}.bias"] = torch.empty(after, dtype=dtype, device="meta")
        before = after
    return forms
