# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators whose arguments are the settings of engines: they are made again when the engines change."""

import bpy

from ..language.catalogue import keep_apart
from ..link import engines
from . import again_operator, engine_settings, generate_operator, views_mesh_operator

_BASES = (generate_operator.Generate, again_operator.MakeAgain, views_mesh_operator.MeshFromViews)

_made: list[type] = []
_takes: list[object] = []  # what they were made of


def update() -> None:
    """Make the operators with the arguments that the known engines take; none anew without need: one may be in use."""
    every = (*engines.known(), *engines.of_views())
    takes = [(engine.name, engine.settings, engine.inputs) for engine in every]
    if _made and takes == _takes:
        return
    _takes[:] = takes
    _drop()
    for base in _BASES:
        taken = engine_settings.arguments(base.takes())
        arguments = {name: value for name, value in taken.items() if name not in base.FIXED}
        name = base.bl_idname.replace("hi3dgen.", "HI3DGEN_OT_")
        made = type(name, (base, bpy.types.Operator), {"__annotations__": arguments})
        keep_apart(made)
        bpy.utils.register_class(made)
        _made.append(made)


def register() -> None:
    """Follow the engines."""
    engines.changed.append(update)
    update()


def unregister() -> None:
    """Take the operators away."""
    engines.changed.remove(update)
    _drop()


def _drop() -> None:
    while _made:
        bpy.utils.unregister_class(_made.pop())
