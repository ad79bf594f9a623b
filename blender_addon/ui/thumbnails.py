# SPDX-License-Identifier: GPL-3.0-or-later
"""Icons of what a running job has made so far. They live beside the file: previews leave no trace in it."""

import bpy.utils.previews
import numpy as np

from ...backend.wire.messages import Preview

_icons: bpy.utils.previews.ImagePreviewCollection | None = None
_shown: dict[str, Preview] = {}  # by the icon's name, see `_name`


def icon_of(preview: Preview) -> int:
    """The icon's number for a panel's draw, 0 without a window."""
    if _icons is None:
        return 0
    name = _name(preview)
    if _shown.get(name) is not preview:
        _forget(name)
        _shown[name] = preview
        icon = _icons.new(name)
        height, width, _ = preview.pixels.shape
        icon.image_size = (width, height)
        icon.image_pixels_float.foreach_set((preview.pixels[::-1] / np.float32(255.0)).astype(np.float32).reshape(-1))
    return _icons[name].icon_id


def forget_all_but(jobs: set[str]) -> None:
    """Drop the icons of jobs that have ended."""
    for name in [name for name, preview in _shown.items() if preview.job not in jobs]:
        _forget(name)


def _name(preview: Preview) -> str:
    return f"{preview.job} {preview.product}"


def _forget(name: str) -> None:
    if _icons is not None and _shown.pop(name, None):
        del _icons[name]


def register() -> None:
    """Begin to collect."""
    global _icons  # noqa: PLW0603 - a preview collection must be made and removed with the extension
    _icons = bpy.utils.previews.new()


def unregister() -> None:
    """Forget all."""
    global _icons  # noqa: PLW0603
    if _icons is not None:
        bpy.utils.previews.remove(_icons)
        _icons = None
        _shown.clear()
