# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of the zero123pp engine: their files, how they are loaded and placed, and the memory that they take.

The numbers of values are those of the published checkpoints. The memory of the work was counted from the networks'
largest tensors that exist at the same time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn

from ...models.zero123plus import load_empty_text, load_painter, load_ramp, load_vae, load_vision
from ...nn.checkpoint import count_values
from ...nn.device import Compute
from ...nn.memory_plan import MemoryPlan, Network
from ...weights import store
from ...weights.catalogue import SIX_NORMALS, SIX_VIEWS
from .cost import UNET_VALUES

_MILLION = 1_000_000
PACKAGES = (SIX_VIEWS, SIX_NORMALS)


@dataclass(frozen=True)
class Eye:
    """What reads the picture: CLIP's picture tower and the VAE.

    text: the empty text, embedded. ramp: how much of the picture's embedding is added to each of its tokens.
    """

    vision: Any
    vae: Any
    text: Tensor
    ramp: Tensor


def networks() -> Mapping[str, Network]:
    """Every network of the engine, by name. Nothing is read before it is needed."""
    return {
        # The text encoder, 340 million values more, reads its one text on the processor while the others are loaded.
        "eye": Network(
            "networks that read the picture",
            values=716 * _MILLION,
            works=(150 * _MILLION, 0),  # four of the encoder's first features, 128 x 512 x 512, and more
            files=partial(_files, ("vision_encoder", "text_encoder", "vae")),
            load=_load_eye,
            place=_place_eye,
        ),
        "painter": Network(
            "network for the views",
            values=(866 + 364) * _MILLION,
            # With the picture and without it: features that are skipped to, a feed-forward of 9600 places with 2560
            # channels, and the tokens of the reference.
            works=(200 * _MILLION, 0),
            files=partial(_files, ("unet",)),
            load=lambda: load_painter(store.find(SIX_VIEWS), None if normals_missing() else store.find(SIX_NORMALS)),
            place=lambda painter, compute, _: painter.to(compute.device, compute.dtype),
        ),
        "vae": Network(
            "decoder of the views",
            values=84 * _MILLION,
            works=(480 * _MILLION, 0),  # three of the decoder's last features but one, 256 x 960 x 640
            files=partial(_files, ("vae",)),
            load=lambda: load_vae(store.find(SIX_VIEWS)),
            place=lambda vae, compute, _: nn.Module.to(vae, compute.device, compute.dtype),
        ),
    }


def normals_missing() -> bool:
    """Whether the network for the normals is not here."""
    return bool(store.missing([SIX_NORMALS]))


def revisions() -> dict[str, str]:
    """Which weights are on the disk."""
    return {**store.revisions(PACKAGES), "normals": "missing" if normals_missing() else "here"}


def share() -> float:
    """How large the UNet on the disk is, of the published one."""
    return count_values(_files(("unet",))[0]) / UNET_VALUES


def _load_eye() -> Eye:
    folder = store.find(SIX_VIEWS)
    return Eye(load_vision(folder), load_vae(folder), load_empty_text(folder), load_ramp(folder))


def _place_eye(eye: Eye, compute: Compute, _: MemoryPlan) -> Eye:
    for network in (eye.vision, eye.vae):
        nn.Module.to(network, compute.device, compute.dtype)  # diffusers' own method warns without a reason
    return eye


def _files(parts: Sequence[str]) -> list[Path]:
    folder = store.find(SIX_VIEWS)
    return [folder / name for name in SIX_VIEWS.files if name.split("/")[0] in parts and name.endswith(".safetensors")]
