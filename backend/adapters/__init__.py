# SPDX-License-Identifier: GPL-3.0-or-later
"""What the backend does with each kind of product: how it looks small, travels and is written. One module a kind.

The server, the command line and batches use this room; a new kind of product is a module and a line here.
"""

from collections.abc import Mapping
from typing import Any

from . import cutout, mesh, normal_map, structure, texture, views
from .adapter import Adapter

__all__ = ["ADAPTERS", "Adapter", "adapter_of", "kinds_of"]

ADAPTERS: Mapping[type, Adapter[Any]] = {
    adapter.type: adapter
    for adapter in (
        cutout.ADAPTER,
        normal_map.ADAPTER,
        structure.ADAPTER,
        mesh.ADAPTER,
        views.ADAPTER,
        texture.ADAPTER,
    )
}


def adapter_of(product: object) -> Adapter[Any] | None:
    """The adapter for a product; None if it is of no kind that anybody outside the engine sees."""
    return ADAPTERS.get(type(product))


def kinds_of(gives: Mapping[str, type]) -> dict[str, str]:
    """The kinds, as docs/wire.md calls them, of the products that an engine gives, by their names."""
    return {name: ADAPTERS[product].kind for name, product in gives.items()}
