# SPDX-License-Identifier: GPL-3.0-or-later
"""What DINOv2 sees of an object: the image tokens of its views, pooled to one row."""

import contextlib
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np
import torch

from ..arrays import Float32Array, UInt8Array
from ..errors import UserError
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
        self._digest: str | None = None

    def of_sheet(self, sheet: Path) -> Float32Array:
        """The row of an object, float32 (2 C,), by the picture of its views; kept beside it as `NAME.npz`.

        A kept row counts if it is as new as the picture and of the same network, or if no network is here to make
        another. Raises `UserError` if there is no network, or the picture cannot be read.
        """
        path, network = sheet.with_suffix(".npz"), self._of_network()
        with contextlib.suppress(OSError, ValueError, EOFError, KeyError, BadZipFile):  # not there, or not ours
            if path.stat().st_mtime_ns >= sheet.stat().st_mtime_ns:
                with np.load(path, allow_pickle=False) as kept:
                    if str(kept["network"]) == network or not network:
                        return kept["row"]
        if self._network is None:
            loaded = load_tokenizer(self._folder or store.find(CONDITIONER))
            self._network = loaded.to(choose("float32").device)  # pyright: ignore[reportArgumentType]
        row = pooled(self._network, views_of_sheet(read_picture(sheet)))
        with writing(path) as file:
            np.savez(file, row=row, network=network)
        return row

    def _of_network(self) -> str:
        """The digest of the network's weights; empty if they are not here."""
        if self._digest is None:
            found = hashlib.sha256()
            with contextlib.suppress(OSError, UserError):
                for path in sorted((self._folder or store.find(CONDITIONER)).glob("*.safetensors")):
                    with path.open("rb") as file:
                        found.update(hashlib.file_digest(file, "sha256").digest())
            self._digest = "" if found.digest() == hashlib.sha256().digest() else found.hexdigest()
        return self._digest


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
