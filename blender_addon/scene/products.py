# SPDX-License-Identifier: GPL-3.0-or-later
"""Which kinds of products this add-on knows, and what becomes of each: a module and a line here for each kind."""

from collections.abc import Callable, Mapping
from typing import Any

from ...backend.wire.products import Mesh, NormalMap, Panorama, Product, Texture, Unknown, Views
from ..errors import AddonError
from . import mesh, normal_map, texture, views, worlds
from .landing import Landing

LAND: dict[type, Callable[[Landing, str, Any], None]] = {
    NormalMap: normal_map.land,
    Texture: texture.land,
    Mesh: mesh.land,
    Views: views.land,
    Panorama: worlds.land,
}
"""In this order, whatever the engine's: a mesh shows the normal map, and cameras follow a mesh."""


def land(landing: Landing, products: Mapping[str, Product]) -> None:
    """Add products, by name, to the scene; one of a kind that is not known is left out with a note.

    Raises `AddonError` for a broken product, and if none is known.
    """
    for kind, land_kind in LAND.items():
        for name, product in products.items():
            if isinstance(product, kind):
                land_kind(landing, name, product)
    unknown = {name: product.kind for name, product in products.items() if isinstance(product, Unknown)}
    if len(unknown) == len(products):
        raise AddonError("It is of no kind that this version of the extension knows.", "Update the extension.")
    for name, kind in unknown.items():
        landing.notes.append(f"“{name}” was left out: this version of the extension does not know the kind “{kind}”.")
