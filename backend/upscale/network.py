# SPDX-License-Identifier: GPL-3.0-or-later
"""Enlarge colours by the user's own upscaler, in tiles that fit into the device's memory, in torch."""

import logging
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..arrays import UInt8Array
from ..errors import UserError
from ..flow.products import Report
from ..nn.checks import require_finite
from ..nn.device import (
    TOO_SMALL,
    choose,
    device_lost,
    device_name,
    is_device_lost,
    is_out_of_memory,
    memory_of,
    release,
)
from ..nn.watching import repeating
from .tiles import SIDES, count, largest_side, tiles
from .weights import Upscaler, read_upscaler

log = logging.getLogger(__name__)

_PROBED = 64  # pixels a side of the picture by which it is found out what a network needs
_AT_ONCE = 3  # times what its largest part takes in and gives: what waits for a sum, and workspaces
_SHARE = 0.5  # of the free memory, which other programs need, too


def enlarge(colours: UInt8Array, path: Path, report: Report) -> UInt8Array:
    """Return colours as the upscaler in `path` enlarges them, uint8 (scale h, scale w, 3).

    colours: uint8 (h, w, 3), sRGB. Numbers are float32 on every device: half precision shows as bands in some
    networks. If memory runs out, it goes on with smaller tiles. Raises UserError if the file holds no upscaler, and if
    the smallest tiles have no room; what `report` raises passes through.
    """
    device = choose().device
    try:
        with torch.inference_mode(), repeating(report) as repeated:
            repeated(0, 1)
            upscaler = read_upscaler(path)
            upscaler.network.to(device)
            return _enlarged(torch.from_numpy(colours), upscaler, device, repeated)
    finally:
        release(device)


def _enlarged(colours: Tensor, upscaler: Upscaler, device: torch.device, report: Report) -> UInt8Array:
    height, width = colours.shape[:2]
    each = bytes_for_a_pixel(upscaler, device)
    side = largest_side(height, width, each, _SHARE * _free(device))
    while True:
        log.info("upscaling %d x %d pixels in tiles of %d on %s, %.0f bytes a pixel", width, height, side, device, each)
        trouble: str
        try:
            return _in_tiles(colours, upscaler, side, device, report)
        except (RuntimeError, MemoryError) as error:
            if is_device_lost(error):
                raise device_lost(device) from error
            if not is_out_of_memory(error):
                raise
            trouble = str(error)
        # After the except clause: until it ends, the error's traceback keeps the work's tensors alive.
        release(device)
        smaller = SIDES[SIDES.index(side) + 1 :]
        log.warning("memory ran out with tiles of %d: %s", side, trouble)
        if not smaller:
            sentence = f"The memory of {device_name(device)} was not enough for the upscaler, even in small tiles."
            raise UserError("out-of-memory", sentence, TOO_SMALL)
        side = smaller[0]


def _in_tiles(colours: Tensor, upscaler: Upscaler, side: int, device: torch.device, report: Report) -> UInt8Array:
    (height, width), scale = colours.shape[:2], upscaler.scale
    made = np.empty((height * scale, width * scale, 3), np.uint8)
    of = count(height, width, side)
    for done, tile in enumerate(tiles(height, width, side)):
        report(done, of)
        (top, bottom), (left, right) = tile.seen
        seen = colours[top:bottom, left:right].to(device).movedim(-1, 0)[None].float() / 255
        answer = require_finite(upscaler.run(seen), "upscaler")[0]
        (first_row, last_row), (first_column, last_column) = tile.kept
        kept = answer[
            :,
            (first_row - top) * scale : (last_row - top) * scale,
            (first_column - left) * scale : (last_column - left) * scale,
        ]
        rows, columns = (slice(span.first * scale, span.last * scale) for span in tile.kept)
        made[rows, columns] = (kept.clamp(0, 1) * 255).round().movedim(0, -1).to("cpu", torch.uint8).numpy()
    report(of, of)
    return made


def bytes_for_a_pixel(upscaler: Upscaler, device: torch.device) -> float:
    """About how many bytes of work the network takes for a pixel that it sees: found by a look at a small picture."""
    largest = 0

    def measure(_part: nn.Module, taken: tuple[Any, ...], given: Any) -> None:  # noqa: ANN401
        nonlocal largest
        tensors = [each for each in (*taken, given) if isinstance(each, Tensor)]
        largest = max(largest, sum(each.numel() * each.element_size() for each in tensors))

    hooks = [part.register_forward_hook(measure) for part in upscaler.network.modules()]
    try:
        upscaler.run(torch.zeros(1, 3, _PROBED, _PROBED, device=device))
    finally:
        for hook in hooks:
            hook.remove()
    return _AT_ONCE * largest / _PROBED**2


def _free(device: torch.device) -> int:
    """The memory that is free on a device, in bytes: what networks hold there already is not."""
    held = torch.cuda.memory_allocated(device) if device.type == "cuda" else 0
    return max(memory_of(device) - held, 0)
