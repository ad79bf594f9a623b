# SPDX-License-Identifier: GPL-3.0-or-later
"""What DINOv2 sees of an object: the image tokens of its views, pooled to one row."""

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..arrays import Float32Array, UInt8Array
from ..files.outputs import writing
from ..files.pictures import read_picture
from ..models.image_tokens import image_tokens, load_tokenizer
from ..models.imagenet import DEVIATION, MEAN
from ..nn.device import choose
from ..weights import store
from ..weights.catalogue import CONDITIONER
from .drawing import views_of_sheet

if TYPE_CHECKING:
    from transformers import Dinov2WithRegistersModel


class Tokens:
    """The pooled tokens of objects; the network is loaded for the first that has none yet.

    folder: of the network, laid out as the hub's; None for the one that the engine `hi3dgen` has downloaded.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._network: Dinov2WithRegistersModel | None = None

    def of_sheet(self, sheet: Path) -> Float32Array:
        """The row of an object, float32 (2 C,), by the picture of its views; kept beside it as `NAME.npy`.

        Raises `UserError` if there is no network, or the picture cannot be read.
        """
        path = sheet.with_suffix(".npy")
        with contextlib.suppress(OSError, ValueError, EOFError):  # it is not there, or was written by something else
            if path.stat().st_mtime_ns >= sheet.stat().st_mtime_ns:
                return np.load(path, allow_pickle=False)
        if self._network is None:
            network = load_tokenizer(self._folder or store.find(CONDITIONER))
            self._network = network.to(choose("float32").device)  # pyright: ignore[reportArgumentType]
        row = pooled(self._network, views_of_sheet(read_picture(sheet)))
        with writing(path) as file:
            np.save(file, row)
        return row


def pooled(network: "Dinov2WithRegistersModel", views: UInt8Array) -> Float32Array:
    """Pool the tokens of views, uint8 (V, S, S, 3), S a multiple of 14: float32 (2 C,).

    First the class tokens' mean over the views, then that of the patches' means.
    """
    device = network.embeddings.cls_token.device
    mean, deviation = (torch.tensor(colour)[:, None, None] for colour in (MEAN, DEVIATION))
    pixels = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 255
    tokens = image_tokens(network, ((pixels - mean) / deviation).to(device))
    leading = 1 + int(network.config.num_register_tokens)
    row = torch.cat([tokens[:, 0].mean(0), tokens[:, leading:].mean((0, 1))])
    return row.cpu().numpy().astype(np.float32)
