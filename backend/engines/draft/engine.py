# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that needs nothing but Blender: numpy alone, offline, a mesh within seconds."""

from typing import Any

from ...around.colours import PAINT_SIDES
from ...around.stages import BACK, SIDES, normal_map_of, seen_from
from ...flow.engine import Engine
from ...flow.products import Cutout, Mesh, NormalMap, Noted, Picture, Report, noted
from ...flow.stage import Stage
from ...foreground import look as foreground_look
from ...foreground.cut_out import cut_out
from ...foreground.mask import OWN_CUTOUT, STROKES, with_found
from ...foreground.stages import READ_OWN as READ_OWN_CUTOUT
from ...geometry import look as geometry_look
from ...mesh.clean import clean
from ...mesh.reduce import reduce
from ...normals.image import OWN_NORMAL_MAP
from ...normals.stages import READ_OWN
from ...texture.stages import COLOURED, LIT
from ...upscale.chosen import versions
from ...upscale.stages import UPSCALED
from . import normals
from .geometry import build
from .normals import estimate, is_estimate
from .settings import PRESETS, SETTINGS


def _cut_out(picture: Picture, strokes: Picture | None = None, *, resolution: int, report: Report) -> Cutout | Noted:
    notes: list[str] = []
    cutout = cut_out(picture, resolution, report, notes, strokes)
    return noted(cutout, notes)


def _build(
    normal_map: NormalMap,
    cutout: Cutout,
    *,
    report: Report,
    own_normal_map: Picture | None = None,
    **used: Any,  # noqa: ANN401 - see `geometry.build`
) -> Mesh | Noted:
    """Build the body. An artist's own map may be the estimated one with some strokes, and is as flat then."""
    estimated = own_normal_map is None or is_estimate(normal_map, cutout, lambda: report(0, 1))
    return build(normal_map, report=report, estimated=estimated, **used)


def _always_there() -> str:
    return ""


def _unload() -> None:
    """Forget the three networks' weights: the next job reads them again, in a tenth of a second."""
    for network in (foreground_look, normals, geometry_look):
        network.read_weights.cache_clear()


_FOREGROUND = Stage("foreground", "Cutting out", "cutout", ("picture",), ("resolution",), _cut_out, unless=STROKES)
_NORMALS = Stage("normals", "Estimating normals", "normal_map", ("cutout",), (), estimate, unless=OWN_NORMAL_MAP)

DRAFT = Engine(
    name="draft",
    label="Draft",
    description="Estimates the surface with a small network in seconds, on any computer, offline",
    needs_gpu=False,
    missing=_always_there,
    settings=SETTINGS,
    inputs=("picture", OWN_CUTOUT, STROKES, OWN_NORMAL_MAP, *SIDES),
    gives={"normal_map": NormalMap, "mesh": Mesh},
    on_request={"cutout": Cutout},
    stages=(
        READ_OWN_CUTOUT,
        _FOREGROUND,
        Stage("found", "Finding the object", "picture", ("picture",), (), with_found, when=STROKES),
        Stage("marked", "Cutting out", "cutout", ("picture", STROKES), ("resolution",), _cut_out, when=STROKES),
        *UPSCALED,
        _NORMALS,
        READ_OWN,
        *(stage for side in SIDES for stage in seen_from(side, _FOREGROUND, UPSCALED, _NORMALS)),
        Stage(
            "geometry",
            "Building the surface",
            "mesh",
            ("normal_map", "cutout"),
            ("seed", "thickness", "profile", "upright"),
            _build,
            also=(normal_map_of(BACK), OWN_NORMAL_MAP),
        ),
        Stage("clean", "Cleaning up", "mesh", ("mesh",), (), clean),
        Stage("reduce", "Reducing", "mesh", ("mesh",), ("faces",), reduce),
        *COLOURED,
        PAINT_SIDES,
        *LIT,
    ),
    unload=_unload,
    versions=versions,
    presets=PRESETS,
)
