# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage `detail`: behind an engine's surface, and before its reduction, which keeps what matters."""

from ..flow.products import Mesh, NormalMap, Noted, Report
from ..flow.settings import Setting
from ..flow.stage import Stage
from ..mesh.eye import NoEyeError
from .correct import ForeignMapError, correct

DETAIL = Setting(
    name="detail",
    label="Detail",
    description="How much of the normal map's relief the surface takes on. Above 1 it is exaggerated",
    default=1.0,
    minimum=0.0,
    maximum=2.0,
)


def _detail(mesh: Mesh, normal_map: NormalMap, *, detail: float, report: Report) -> Mesh | Noted:
    if not detail:
        return mesh
    try:
        return correct(mesh, normal_map, detail, report)
    except (NoEyeError, ForeignMapError):
        return Noted(
            mesh, ("The mesh did not get the normal map's detail, because the map does not show it well enough.",)
        )


DETAILED = Stage("detail", "Adding detail", "mesh", ("mesh", "normal_map"), ("detail",), _detail)
