# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of a converted model: how each is loaded and brought to the device."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from ..models.aesthetic import Score, score_from_published
from ..models.clip_tower import tower_from_openai
from ..models.depth_names import depth_from_midas
from ..models.ldm_names import vae_from_ldm
from ..models.video_unet import in_chunks
from ..models.video_unet_names import video_unet_from_sgm
from ..nn.checkpoint import read_tensors
from ..nn.device import Compute
from ..nn.memory_plan import MemoryPlan, Network
from .conversion import Converted
from .model import Model

if TYPE_CHECKING:
    from transformers import CLIPVisionModelWithProjection

LABELS = {
    "unet": "network of the frames",
    "vae": "autoencoder",
    "encoder": "autoencoder of the picture",
    "clip": "picture tower",
    "tower": "network of the score",
    "depth": "network of the depth",
}


@dataclass(frozen=True)
class Judge:
    """How a picture's score is found: a tower's feature of it, and the score of that."""

    tower: "CLIPVisionModelWithProjection"
    score: Score


def networks_of(model: Model, converted: Converted) -> dict[str, Network]:
    """The networks of a model, by MODEL PART. Nothing is read before it is needed."""
    heads = converted.heads

    def judge(tensors: Mapping[str, Tensor], source: str) -> Judge:
        score = score_from_published(read_tensors(converted.files["score"]), source)
        return Judge(tower_from_openai(tensors, heads["tower"], "quick_gelu", source), score)

    builders: dict[str, Callable[[Mapping[str, Tensor], str], Any]] = {
        "unet": lambda tensors, source: video_unet_from_sgm(tensors, heads["unet"], source),
        "vae": vae_from_ldm,
        "encoder": vae_from_ldm,
        "clip": lambda tensors, source: tower_from_openai(tensors, heads["clip"], "gelu", source),
        "tower": judge,
        "depth": lambda tensors, source: depth_from_midas(tensors, heads["depth"], source),
    }
    return {
        f"{model.name} {part}": Network(
            LABELS[part],
            values=converted.values[part],
            works=(model.work[part], 0),
            files=lambda part=part: [converted.files[part]],
            load=partial(_load, converted, part, build),
            place=_place,
        )
        for part, build in builders.items()
        if part in model.parts
    }


def _load(converted: Converted, part: str, build: Callable[[Mapping[str, Tensor], str], Any]) -> Any:  # noqa: ANN401
    path = converted.files[part]
    return build(read_tensors(path), str(path))


def _place(network: Any, compute: Compute, plan: MemoryPlan) -> Any:  # noqa: ANN401  one of several classes
    whole: Any = network.tower if isinstance(network, Judge) else network
    nn.Module.to(whole, compute.device, compute.dtype)  # diffusers' own method warns without a reason
    if hasattr(whole, "up_blocks"):
        in_chunks(whole, plan.gathered)
    return network
