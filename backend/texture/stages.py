# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines share behind their surfaces: a place in the scene, and colours."""

import logging
from dataclasses import replace

from ..errors import Cancelled
from ..flow.products import Cutout, Mesh, NormalMap, Noted, Picture, Report
from ..flow.settings import Option, Setting
from ..flow.stage import Stage
from ..mesh.eye import NoEyeError
from ..mesh.place import place
from ..mesh.project import project
from .normal_texture import bake_normals, is_coarse
from .paint import MOST, paint
from .tones import Tones, tones_of

log = logging.getLogger(__name__)

FRONT = "front"
ALL_ROUND = "all_round"

COLOURS = Setting(
    name="colours",
    label="Colours",
    description="How the mesh is coloured. The image of its colours is as large as the picture needs, "
    "at most 2048 pixels a side unless you choose a size",
    default=ALL_ROUND,
    options=(
        Option(FRONT, "Mirror the Front", "The picture alone, through the whole body: the back shows it once more"),
        Option(
            ALL_ROUND,
            "All Round",
            "The picture where it sees the surface, and what likely goes on elsewhere",
            ("picture", "2048"),
        ),
        Option("1024", "All Round, up to 1024 px", "All round, in an image of at most 1024 pixels a side"),
        Option("4096", "All Round, up to 4096 px", "All round, in an image of at most 4096 pixels a side"),
    ),
    advanced=True,
)

REMOVE_LIGHT = Setting(
    name="remove_light",
    label="Remove Light",
    description="Take the picture's shading out of the colours all round, for scenes with lights of their own. "
    "Cast shadows and highlights stay",
    default=False,
    advanced=True,
)

IMAGE_SIZE = Setting(
    name="image_size",
    label="Image Size",
    description="The largest that the image of the colours may become, in pixels a side. It is only as large as what "
    "is painted needs",
    default="2048",
    options=(
        Option("1024", "1024 px", "At most 1024 pixels a side"),
        Option("2048", "2048 px", "At most 2048 pixels a side"),
        Option("4096", "4096 px", "At most 4096 pixels a side"),
    ),
    advanced=True,
)
"""For tools, which paint all round whatever is asked for."""

COARSE = "coarse"
ALWAYS = "always"
NEVER = "never"

NORMAL_TEXTURE = Setting(
    name="normal_texture",
    label="Normal Texture",
    description="An image of the fine relief that large faces cannot hold: lights show it, in Blender and in game "
    "engines. It is made with the colours all round",
    default=COARSE,
    options=(
        Option(COARSE, "For Few Faces", "Only if the faces are too large for the normal map's detail"),
        Option(ALWAYS, "Always", "However many faces the mesh has"),
        Option(NEVER, "Never", "Lights show the faces alone"),
    ),
    advanced=True,
)


def _read(cutout: Cutout, normal_map: NormalMap, *, colours: str, report: Report) -> Tones | None:
    """What the cut-out's colours tell; None if the picture alone is to be shown, or if they cannot be read."""
    if colours == FRONT:
        return None
    try:
        return tones_of(cutout, normal_map, lambda: report(0, 1))
    except Cancelled:
        raise
    except Exception:  # `_colour` says so
        log.exception("the colours could not be read")
        return None


def _colour(
    mesh: Mesh,
    cutout: Cutout,
    normal_map: NormalMap,
    picture: Picture,
    tones: Tones | None,
    *,
    colours: str,
    remove_light: bool,
    report: Report,
) -> Mesh | Noted:
    if colours == FRONT:
        return mesh
    most = MOST if colours == ALL_ROUND else int(colours)
    try:
        return paint(mesh, cutout, normal_map, picture, most=most, lit=not remove_light, tones=tones, report=report)
    except Cancelled:
        raise
    except Exception:  # the mesh is there, and worth more than its colours
        log.exception("the mesh could not be coloured all round")
        return Noted(mesh, ("The mesh could not be coloured all round: it shows the picture from front and back.",))


def _light_up(mesh: Mesh, normal_map: NormalMap, *, normal_texture: str, report: Report) -> Mesh | Noted:
    if mesh.texture is None or mesh.texture.base_colour is None:
        return mesh
    if normal_texture != ALWAYS and (normal_texture != COARSE or not is_coarse(mesh, normal_map)):
        return mesh
    try:
        made = bake_normals(mesh, normal_map, mesh.texture.base_colour.shape[0], report)
    except NoEyeError:
        return Noted(mesh, ("The mesh has no normal texture, because the normal map does not show it.",))
    except Cancelled:
        raise
    except Exception:  # the mesh is there, with its colours
        log.exception("the normal texture could not be made")
        return Noted(mesh, ("The normal texture could not be made: the faces alone are lit.",))
    return replace(mesh, texture=replace(mesh.texture, normal=made))


COLOURED = (
    Stage("place", "Placing", "mesh", ("mesh",), (), place),
    Stage("tones", "Reading the colours", "tones", ("cutout", "normal_map"), ("colours",), _read, beside=True),
    Stage(
        "colour",
        "Colouring",
        "mesh",
        ("mesh", "cutout", "normal_map", "picture", "tones"),
        ("colours", "remove_light"),
        _colour,
    ),
)
"""From a mesh whose UVs lie in the cut-out to one that stands on the floor, with its colours."""

LIT = (
    Stage("normal_texture", "Drawing the detail", "mesh", ("mesh", "normal_map"), ("normal_texture",), _light_up),
    Stage("project", "Laying the picture on", "mesh", ("mesh", "cutout"), (), project),
)
"""From there to a mesh that is finished: with the normal map's detail, and with the picture on it."""
