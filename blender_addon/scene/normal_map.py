# SPDX-License-Identifier: GPL-3.0-or-later
"""A normal map becomes an image, which the material of a mesh beside it shows."""

from ...backend.wire.products import NormalMap
from .landing import Landing


def land(landing: Landing, name: str, product: NormalMap) -> None:
    """Add the image."""
    landing.normal_map = landing.image(name, "normals", product.png, data=True)
