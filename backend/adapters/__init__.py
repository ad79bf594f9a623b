# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend does with each kind of product: how it looks small, travels and is written. One module a kind.

The server, the command line and batches use this room; a new kind of product is a module and a line here.
"""

from collections.abc import Collection, Mapping
from typing import Any

from ..errors import UserError
from ..flow.engine import Engine
from . import cutout, mesh, normal_map, panorama, structure, texture, viewpoints, views
from .adapter import Adapter

__all__ = ["ADAPTERS", "Adapter", "adapter_of", "kinds_of", "written"]

ADAPTERS: Mapping[type, Adapter[Any]] = {
    adapter.type: adapter
    for adapter in (
        cutout.ADAPTER,
        normal_map.ADAPTER,
        structure.ADAPTER,
        mesh.ADAPTER,
        views.ADAPTER,
        texture.ADAPTER,
        viewpoints.ADAPTER,
        panorama.ADAPTER,
    )
}


def adapter_of(product: object) -> Adapter[Any] | None:
    """The adapter for a product; None if nobody outside the engine sees products of its kind."""
    return ADAPTERS.get(type(product))


def kinds_of(gives: Mapping[str, type]) -> dict[str, str]:
    """The kinds, as docs/wire.md calls them, of the products that an engine gives, by their names."""
    return {name: ADAPTERS[product].kind for name, product in gives.items()}


def written(engine: Engine, names: Collection[str]) -> list[str]:
    """The products of these names, in the engine's order.

    Raises `UserError` (bad-product) for one that the engine does not give, or that cannot be written.
    """
    chosen = engine.chosen(names)
    for name in chosen:
        if ADAPTERS[engine.offers[name]].write is None:
            sentence = f"{engine.label} gives “{name:.60}” only while it works, and not as a file."
            raise UserError("bad-product", sentence, "Ask for another product.")
    return chosen
