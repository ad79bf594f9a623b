# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages behind the surface, one after the other, for scripts that build a surface without a pipeline."""

from backend.flow.products import Mesh, Noted
from backend.mesh.clean import clean
from backend.mesh.place import place
from backend.mesh.reduce import reduce
from backend.mesh.stages import FACES


def placed(mesh: Mesh, faces: int = int(FACES.default)) -> Mesh:
    """Clean a mesh, reduce it and place it; its uv stays in the cut-out's frame."""
    cleaned = clean(mesh, report=_ignore)
    reduced = reduce(cleaned.product if isinstance(cleaned, Noted) else cleaned, faces=faces, report=_ignore)
    return place(reduced, report=_ignore)


def _ignore(_step: int, _of: int) -> None:
    """Watch nothing."""
