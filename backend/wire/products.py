# SPDX-License-Identifier: GPL-3.0-or-later
"""The products of docs/wire.md as they travel, a dataclass a kind. Pictures travel as the bytes of PNG files."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .frames import Array, ArraySpec, WireError
from .records import array, check_specs, fields_of, from_fields

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class NormalMap:
    """A normal map in the frame of the whole picture, over white: x right, y up, z to the viewer."""

    png: Bytes = field(metadata=array("uint8", None))


@dataclass(frozen=True)
class Cutout:
    """What is the object: a mask in the frame of the whole picture, 255 in it and 0 outside."""

    mask: NDArray[np.uint8] = field(metadata=array("uint8", None, None))


@dataclass(frozen=True)
class Texture:
    """The images of a mesh's surface, laid out by its UVs. normal: in tangent space, y up."""

    base_colour: Bytes | None = field(default=None, metadata=array("uint8", None))
    normal: Bytes | None = field(default=None, metadata=array("uint8", None))
    roughness: Bytes | None = field(default=None, metadata=array("uint8", None))
    metallic: Bytes | None = field(default=None, metadata=array("uint8", None))


@dataclass(frozen=True)
class Mesh:
    """A mesh in the conventions of docs/wire.md. Exactly one of uv and corner_uv is there.

    Without images of its own it is coloured by the picture. colours: sRGB in [0, 1]; vertex_normals: unit. picture_uv:
    where the vertices lie in the picture, if it has images of its own.
    """

    vertices: NDArray[np.float32] = field(metadata=array("float32", None, 3))
    triangles: NDArray[np.int32] = field(metadata=array("int32", None, 3))
    uv: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 2))
    corner_uv: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 3, 2))
    colours: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 3))
    vertex_normals: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 3))
    picture_uv: NDArray[np.float32] | None = field(default=None, metadata=array("float32", None, 2))
    base_colour: Bytes | None = field(default=None, metadata=array("uint8", None))
    normal: Bytes | None = field(default=None, metadata=array("uint8", None))
    roughness: Bytes | None = field(default=None, metadata=array("uint8", None))
    metallic: Bytes | None = field(default=None, metadata=array("uint8", None))

    @property
    def textured(self) -> bool:
        """Whether it brings images of its own."""
        return any(image is not None for image in (self.base_colour, self.normal, self.roughness, self.metallic))


@dataclass(frozen=True)
class Views:
    """Pictures of the object from around it, PNG files one behind the other, and the cameras that see them.

    lengths: the bytes of each file. matrices: from each camera's axes to Blender's. fovs: the angle across each
    picture's width in degrees, 0 for a parallel projection; widths: its width in metres then.
    """

    lengths: tuple[int, ...]
    fovs: tuple[float, ...]
    widths: tuple[float, ...]
    png: Bytes = field(metadata=array("uint8", None))
    matrices: NDArray[np.float32] = field(metadata=array("float32", None, 4, 4))

    @property
    def pictures(self) -> list[bytes]:
        """The bytes of each PNG file."""
        ends = np.cumsum(self.lengths)
        return [self.png[end - length : end].tobytes() for end, length in zip(ends, self.lengths, strict=True)]


@dataclass(frozen=True)
class Panorama:
    """The light from all around, an equirectangular picture: the bytes of a Radiance HDR file."""

    hdr: Bytes = field(metadata=array("uint8", None))


@dataclass(frozen=True)
class Viewpoints:
    """The cameras that may have taken the picture of a mesh, an entry each, the best first; see docs/wire.md.

    matrices: from each camera's axes to the mesh's. fovs: the angle across the whole picture's width in degrees, 0 for
    a parallel projection; widths: its width in the mesh's unit then. azimuths, elevations, rolls: degrees. distances:
    from the mesh's middle, in its unit. scores, outlines: 0 to 1. fits: whether the first is alike enough, or
    was given.
    """

    fits: bool
    scores: tuple[float, ...]
    outlines: tuple[float, ...]
    azimuths: tuple[float, ...]
    elevations: tuple[float, ...]
    rolls: tuple[float, ...]
    distances: tuple[float, ...]
    fovs: tuple[float, ...]
    widths: tuple[float, ...]
    matrices: NDArray[np.float32] = field(metadata=array("float32", None, 4, 4))


@dataclass(frozen=True)
class Unknown:
    """A product of a kind that this side does not know."""

    kind: str


Product = Cutout | NormalMap | Texture | Mesh | Views | Viewpoints | Panorama | Unknown
KINDS: dict[str, type] = {
    "cutout": Cutout,
    "normal_map": NormalMap,
    "texture": Texture,
    "mesh": Mesh,
    "views": Views,
    "viewpoints": Viewpoints,
    "panorama": Panorama,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


@dataclass(frozen=True)
class ProductDocument:
    """A product without its arrays."""

    name: str
    kind: str
    fields: Mapping[str, Any]


def documents_of(products: Mapping[str, Product]) -> tuple[list[dict[str, Any]], dict[str, Array]]:
    """What a frame says of products, by name, and their arrays as PRODUCT.ARRAY."""
    documents: list[dict[str, Any]] = []
    payload: dict[str, Array] = {}
    for name, product in products.items():
        fields, own = fields_of(product)
        documents.append({"name": name, "kind": _NAMES[type(product)], "fields": fields})
        payload |= {f"{name}.{each}": values for each, values in own.items()}
    return documents, payload


def check_product_specs(described: object, specs: list[ArraySpec]) -> None:
    """Refuse, before a payload is read, arrays that the products do not have. Raises `WireError` (bad-message).

    Arrays of products of unknown kinds pass.
    """
    documents = _documents(described)
    for document in documents:
        own = [
            replace(spec, name=spec.name.partition(".")[2])
            for spec in specs
            if spec.name.partition(".")[0] == document.name
        ]
        if document.kind in KINDS:
            check_specs(KINDS[document.kind], own, document.name)
    for spec in specs:
        if spec.name.partition(".")[0] not in {document.name for document in documents}:
            raise WireError("bad-message", f"no product has the array {spec.name}")


def products_from(described: object, payload: Mapping[str, Array]) -> dict[str, Product]:
    """The products of a frame by name. Raises `WireError` (bad-message) if they are not what docs/wire.md says."""
    products: dict[str, Product] = {}
    for document in _documents(described):
        own = {
            full.partition(".")[2]: values
            for full, values in payload.items()
            if full.partition(".")[0] == document.name
        }
        if document.kind not in KINDS:
            products[document.name] = Unknown(document.kind)
            continue
        product: Product = from_fields(KINDS[document.kind], document.fields, own, document.name)
        if isinstance(product, Mesh) and (product.uv is None) == (product.corner_uv is None):
            raise WireError("bad-message", "a mesh has uv or corner_uv")
        if isinstance(product, Views):
            _check_views(product)
        if isinstance(product, Viewpoints):
            _check_viewpoints(product)
        products[document.name] = product
    return products


def _check_views(views: Views) -> None:
    counts = {len(views.lengths), len(views.fovs), len(views.widths), len(views.matrices)}
    if len(counts) != 1 or min(views.lengths, default=0) < 0 or sum(views.lengths) != len(views.png):
        raise WireError("bad-message", "views do not have a camera and a picture each")


def _check_viewpoints(product: Viewpoints) -> None:
    numbers = (product.scores, product.outlines, product.azimuths, product.elevations, product.rolls, product.distances)
    counts = {len(part) for part in (*numbers, product.fovs, product.widths, product.matrices)}
    if len(counts) != 1 or 0 in counts:
        raise WireError("bad-message", "viewpoints do not have all of their numbers each")


def _documents(described: object) -> list[ProductDocument]:
    if not isinstance(described, list):
        raise WireError("bad-message", "products is not a list")
    documents = [from_fields(ProductDocument, _object(item), {}, "a product") for item in described]
    names = [document.name for document in documents]
    if len({*names}) != len(names) or not all(name and "." not in name for name in names):
        raise WireError("bad-message", "products have names of their own, without a dot")
    return documents


def _object(item: object) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        raise WireError("bad-message", "a product is not an object")
    return item
