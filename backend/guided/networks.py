# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks that draw views: their files, how they are loaded and placed, and the memory that they take."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from ..models.depth_diffusion import load_depth_diffusion
from ..models.prompts import load_text_encoder
from ..nn.device import Compute
from ..nn.memory_plan import MemoryPlan, Network
from ..weights import store
from ..weights.catalogue import GUIDED

_MILLION = 1_000_000
TEXT, VIEWS = "texts of views", "views"


def networks(*, refined: bool = False) -> Mapping[str, Network]:
    """Every network that views need, by name; refined: for a refinement, too. Nothing is read before it is needed."""
    return {
        TEXT: Network(
            "text encoder",
            values=340 * _MILLION,
            works=(10 * _MILLION, 0),
            files=partial(_files, ("text_encoder",)),
            load=lambda: load_text_encoder(store.find(GUIDED)),
            place=_placed,
        ),
        VIEWS: Network(
            "network that draws views",
            values=950 * _MILLION,
            # Three of the decoder's features, 256 x 512 x 512, and 128 more; of the encoder's all, for its derivatives.
            works=((1000 if refined else 400) * _MILLION, 0),
            files=partial(_files, ("unet", "vae")),
            load=lambda: load_depth_diffusion(store.find(GUIDED)),
            place=_placed,
        ),
    }


def missing() -> bool:
    """Whether files of these networks are not here."""
    return bool(store.missing([GUIDED]))


def _placed(network: Any, compute: Compute, _: MemoryPlan) -> Any:  # noqa: ANN401
    return network.to(compute.device, compute.dtype)


def _files(parts: Sequence[str]) -> list[Path]:
    folder = store.find(GUIDED)
    return [folder / name for name in GUIDED.files if name.split("/")[0] in parts and name.endswith(".safetensors")]
