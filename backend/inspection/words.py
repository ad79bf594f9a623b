# SPDX-License-Identifier: GPL-3.0-or-later
"""What was found of a mesh, in sentences; the terminal prints them, and Blender's panel translates them."""

from typing import NamedTuple

from .balance import MOST
from .inspection import Inspection

_MILLIMETRES = 1e3  # in a metre
_LARGE = 10.0  # metres: from here on sizes are told in metres
_LITTLE = 0.005  # of the surface: what is less is not complained of
_SMALL_VOLUME, _LARGE_VOLUME = 1e-6, 1e-2  # cubic metres: the bounds of cm³ among mm³, cm³ and m³


class Finding(NamedTuple):
    """A sentence about a mesh, and whether it tells of a flaw."""

    sentence: str
    flaw: bool = False


def findings(found: Inspection, texture: tuple[int, int] | None = None) -> list[Finding]:
    """Tell what was found. texture: the width and the height of the mesh's largest image in pixels."""
    told = [Finding(_size(found.size)), Finding(_faces(found)), *_closed(found)]
    if found.thin is not None and found.thinnest is not None and found.wall is not None:
        wall = _number(found.wall * _MILLIMETRES)
        if found.thin > _LITTLE:
            told.append(Finding(f"{_per_cent(found.thin)} of its surface is thinner than {wall} mm.", flaw=True))
        else:
            thick = _number(found.thinnest * _MILLIMETRES)
            told.append(Finding(f"Its walls are at least {thick} mm thick at 99 % of the surface."))
    if found.overhang > _LITTLE:
        told.append(Finding(f"{_per_cent(found.overhang)} of its surface hangs over by more than 45°."))
    else:
        told.append(Finding("Nothing hangs over by more than 45°."))
    told += _standing(found)
    if texture:
        told.append(Finding(f"Its texture has {texture[0]} x {texture[1]} pixels."))
    return told


def _size(size: tuple[float, float, float]) -> str:
    if max(size) < _LARGE:
        x, y, z = (_number(side * _MILLIMETRES) for side in size)
        return f"Its size is {x} x {y} x {z} mm."
    x, y, z = (_number(side) for side in size)
    return f"Its size is {x} x {y} x {z} m."


def _faces(found: Inspection) -> str:
    if found.parts == 1:
        return f"It has {found.triangles:,} triangles in one piece."
    return f"It has {found.triangles:,} triangles in {found.parts:,} separate parts."


def _closed(found: Inspection) -> list[Finding]:
    if found.volume is not None:
        closed = Finding(f"It is closed and holds {_volume(found.volume)}.")
        return [closed, Finding("It is inside out.", flaw=True)] if found.inside_out else [closed]
    flaws = []
    if found.open_edges:
        flaws.append(f"It is not closed. Open edges: {found.open_edges:,}.")
    if found.crowded_edges:
        flaws.append(f"Edges with three faces or more: {found.crowded_edges:,}.")
    if found.turned_edges:
        flaws.append(f"Edges whose faces look to opposite sides: {found.turned_edges:,}.")
    return [Finding(sentence, flaw=True) for sentence in flaws]


def _standing(found: Inspection) -> list[Finding]:
    if found.tilt is None:
        return [Finding("Whether it stands is known of closed meshes alone.")]
    if not found.stands:
        return [Finding("It does not stand.", flaw=True)]
    if found.tilt >= MOST:
        return [Finding(f"It stands, even if it is tilted by {MOST:.0f}°.")]
    return [Finding(f"It stands, and tips over from {found.tilt:.0f}° on.")]


def _volume(volume: float) -> str:
    if volume >= _LARGE_VOLUME:
        return f"{_number(volume)} m³"
    return f"{_number(volume * 1e6)} cm³" if volume >= _SMALL_VOLUME else f"{_number(volume * 1e9)} mm³"


def _per_cent(share: float) -> str:
    return f"{share * 100:.1f} %"


def _number(value: float) -> str:
    """A number with three digits that count, or all of a larger one."""
    whole = 100.0
    return f"{value:.0f}" if value >= whole else f"{value:.3g}"
