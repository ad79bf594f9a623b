# SPDX-License-Identifier: GPL-3.0-or-later
"""A folder of pictured objects whose true surfaces are known.

`objects.json` names the objects and says where each one's camera is. Each has a picture `images/NAME.png`, whose alpha
is the object, and `mesh/NAME.npz`; `normals/NAME.png`, its true normal map, is read by who builds bodies from it.
"""

import json
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...arrays import BoolArray, Float64Array
from ...errors import UserError
from .silhouettes import VOXELS
from .triangles import Triangles, areas

_ADVICE = "Write it again, or leave the object out."


@dataclass(frozen=True)
class Pictured:
    """What is true of an object.

    surface: its box's middle is the origin, the longest side is 1; parts may overlap, be open and wound wrongly.
    outer: bool (F,), the faces that are seen from outside. occupied: bool (64, 64, 64), [x, y, z] over [-0.75, 0.75]
    along each axis, whether a voxel's centre is inside; None if the surface does not tell. camera: float64 (3,), the
    place of the camera, which looks along -z, or None if it is not known.
    """

    name: str
    surface: Triangles
    outer: BoolArray
    occupied: BoolArray | None
    camera: Float64Array | None


def listed(folder: Path, only: Sequence[str] = ()) -> dict[str, Mapping[str, Any]]:
    """Return a folder's objects by name, with what `objects.json` says of each. only: the names to keep; all if empty.

    Raises `UserError` if there is no such list, and for a name that is not in it.
    """
    path = folder / "objects.json"
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        advice = "Give a folder with images, mesh, normals and objects.json."
        raise UserError("no-examples", f"“{path}” cannot be read.", advice) from error
    except ValueError as error:
        raise UserError("no-examples", f"“{path}” is no JSON.", "Write it again.") from error
    if not (found and isinstance(found, dict) and all(isinstance(one, dict) for one in found.values())):
        raise UserError("no-examples", f"“{path}” lists no objects.", "Write an object of objects, by name.")
    for name in only:
        if name not in found:
            raise UserError("no-examples", f"There is no object “{name:.60}”.", f"There are: {', '.join(found)}.")
    return {name: about for name, about in found.items() if not only or name in only}


def read_object(folder: Path, name: str, about: Mapping[str, Any]) -> Pictured:
    """Read the truth of one object; about: what `objects.json` says of it. Raises `UserError`."""
    path = folder / "mesh" / f"{name}.npz"
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {key: np.asarray(file[key]) for key in file.files}
    except FileNotFoundError as error:
        raise UserError("no-example", f"There is no file “{path}”.", "Add it, or leave the object out.") from error
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise UserError("bad-example", f"“{path.name}” cannot be read.", _ADVICE) from error
    try:
        surface, occupied = _surface(arrays), _occupied(arrays)
        outer = _outer(arrays, surface)
        camera = _camera(about["camera"]) if "camera" in about else None
    except KeyError as error:
        raise UserError("bad-example", f"“{path.name}” has no array {error}.", _ADVICE) from error
    except (TypeError, ValueError) as error:
        raise UserError("bad-example", f"The truth of {name} is invalid: {error}.", _ADVICE) from error
    return Pictured(name, surface, outer, occupied, camera)


def _surface(arrays: Mapping[str, Any]) -> Triangles:
    vertices, faces = arrays["vertices"].astype(np.float64), arrays["faces"].astype(np.int64)
    if vertices.ndim != 2 or vertices.shape[1] != 3 or not np.isfinite(vertices).all():
        raise ValueError("its vertices are not finite places")
    if faces.ndim != 2 or faces.shape[1] != 3 or faces.min(initial=0) < 0 or faces.max(initial=0) >= len(vertices):
        raise ValueError("its faces are not triples of its vertices")
    surface = Triangles(vertices, faces)
    if not areas(surface.corners).sum() > 0:
        raise ValueError("its surface has no area")
    return surface


def _outer(arrays: Mapping[str, Any], surface: Triangles) -> BoolArray:
    outer = _bits(arrays["outer"], len(surface.faces))
    if not areas(surface.corners)[outer].sum() > 0:
        raise ValueError("nothing of it is seen from outside")
    return outer


def _occupied(arrays: Mapping[str, Any]) -> BoolArray | None:
    if not ("occupancy_reliable" in arrays and bool(arrays["occupancy_reliable"])):
        return None
    return _bits(arrays["occupancy64"], VOXELS**3).reshape(VOXELS, VOXELS, VOXELS)


def _bits(packed: Any, count: int) -> BoolArray:  # noqa: ANN401 - an array of a file
    if packed.dtype != np.uint8 or packed.ndim != 1 or len(packed) != -(-count // 8):
        raise ValueError(f"{count} bits are not packed in {packed.shape} of {packed.dtype}")
    return np.unpackbits(packed, count=count).astype(np.bool_)


def _camera(numbers: Any) -> Float64Array:  # noqa: ANN401 - of a JSON document
    camera = np.array(numbers, np.float64)
    if camera.shape != (3,) or not np.isfinite(camera).all():
        raise ValueError("its camera is no place")
    return camera
