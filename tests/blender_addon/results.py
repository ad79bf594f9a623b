# SPDX-License-Identifier: GPL-3.0-or-later
"""Results as a backend sends them, made by hand, and their way into the scene."""

import dataclasses
from importlib import import_module
from typing import Any

import bpy
import numpy as np

from backend.raster import png
from backend.wire.messages import Result
from backend.wire.products import Mesh, NormalMap
from tests.blender_addon.support import MODULE, disc, image_of

TETRAHEDRON = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]], np.float32)
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [2, 0, 3]], np.int32)
UV = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)


def mesh_product(**changes: Any) -> Mesh:
    return Mesh(**{"vertices": TETRAHEDRON, "triangles": FACES, "uv": UV, **changes})


def png_bytes(pixels: Any) -> Any:
    return np.frombuffer(png.encode(pixels), np.uint8)


def recipe(picture: str = "plum") -> dict[str, Any]:
    """What a mesh of a picture was made from."""
    return {"engine": "draft", "seed": 3, "settings": {"resolution": 64}, "inputs": {"picture": picture}}


def result(products: dict[str, Any] | None = None, *, mesh: dict[str, Any] | None = None, **changes: Any) -> Result:
    given = {"normal_map": NormalMap(png_bytes(disc(16))), "mesh": mesh_product(**(mesh or {}))}
    fields: dict[str, Any] = {
        "job": "job-1",
        "seed": 3,
        "index": 0,
        "count": 1,
        "recipe": recipe(),
        "seconds": {},
        "notes": (),
        "products": given if products is None else products,
    }
    return of_the_extension(Result(**{**fields, **changes}))


def of_the_extension(found: Result) -> Any:
    """The same result of the classes that the extension's own copy of the wire has."""
    wire = import_module(f"{MODULE}.backend.wire.products")
    products = {
        name: getattr(wire, type(product).__name__)(**vars(product)) for name, product in found.products.items()
    }
    return dataclasses.replace(found, products=products)


def add(scene: Any, *results: Any, eye: Any = None, **chosen: Any) -> tuple[Any, Any]:
    """Add results of one job, of a picture of a plum. chosen: what is not to have its default, see `Placing`."""
    objects, placing, spots = (
        import_module(f"{MODULE}.blender_addon.scene.{name}") for name in ("objects", "placing", "spots")
    )
    wanted = placing.Placing(**chosen)
    found = spots.spots_of(scene.view_layers[0], results, wanted, eye)
    picture = bpy.data.images.get("plum") or image_of(disc(16), "plum")
    landings, refused = objects.add_results(scene, "plum", picture, results, found, wanted)
    return [thing for landing in landings for thing in landing.objects], refused
