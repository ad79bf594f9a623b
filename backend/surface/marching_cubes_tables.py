# SPDX-License-Identifier: GPL-3.0-or-later
"""How the zero surface cuts a cell: the tilings of marching cubes 33, made from 26 by symmetry.

Marching cubes 33 (Chernyaev 1995; Lewiner et al. 2003) cuts a cell by which of its corners are outside (value > 0),
by whether the outside corners of a face with two of them, opposite each other, are joined across it, and, if that
does not decide the inside, by whether a tunnel runs through the cell. Turning, mirroring and exchanging inside and
outside (96 symmetries) carries 26 tilings to all 634. Several tilings can fit one cut, being mirrored triangulations
of one polygon; which of them the widely used tables of Lewiner hold is a fact without a rule, and is listed.

A cell's parts are numbered so: corner c = x + 2 y + 4 z; edge e = 4 a + u + 2 v along axis a, with u and v the
position on the other two axes in ascending order; 12 is a point in the middle; face f = 2 a + side.
Triangles are counter-clockwise seen from outside.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

Cut = tuple[int, int, bool]
"""(bits of the corners outside, bits of the faces whose outside corners are joined, whether a tunnel runs through)."""

Tiling = tuple[tuple[int, int, int], ...]
"""Triangles, each as three edges (12: the middle), the smallest first; sorted."""

MIDDLE = 12

EDGES = ((0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7))
"""The two corners of each edge, the lower first: four along each axis."""

FACES = ((0, 2, 6, 4), (1, 3, 7, 5), (0, 1, 5, 4), (2, 3, 7, 6), (0, 1, 3, 2), (4, 5, 7, 6))
"""The four corners round each face."""

# One line a tiling: corners outside, faces joined, tunnel, triangles.
_BASES: tuple[tuple[int, int, bool, str], ...] = (
    (0b00000001, 0b000000, False, "084"),
    (0b00000011, 0b000000, False, "459 498"),
    (0b00000110, 0b000000, False, "059 14a"),
    (0b00000110, 0b010000, False, "04a 0a9 15a 59a"),
    (0b00011000, 0b000000, False, "1b5 268"),
    (0b00011000, 0b000000, True, "168 185 1b6 258 26b 2b5"),
    (0b00000111, 0b000000, False, "159 19a 8a9"),
    (0b00010110, 0b000000, False, "059 14a 268"),
    (0b00010110, 0b000001, False, "059 126 142 16a 248"),
    (0b00010110, 0b000101, False, "05c 0c8 14c 1ca 26c 2c9 48c 59c 6ac"),
    (0b00010110, 0b010101, False, "048 15a 259 26a 2a5"),
    (0b00011001, 0b000000, False, "024 1b5 264"),
    (0b00011001, 0b010000, False, "025 164 1b6 26b 2b5"),
    (0b00001111, 0b000000, False, "8a9 9ab"),
    (0b00010111, 0b000000, False, "12a 159 192 26a"),
    (0b00011011, 0b000000, False, "1b4 24b 264 2b9"),
    (0b00011110, 0b000000, False, "04a 0a9 268 9ab"),
    (0b00011110, 0b000001, False, "04c 0c9 26c 2c8 48c 6ac 9cb abc"),
    (0b00111100, 0b000000, False, "4a5 5ab 689 697"),
    (0b00111100, 0b000000, True, "485 4a8 57b 589 597 68a 6a7 7ab"),
    (0b00111100, 0b000001, False, "48c 4c5 5cb 6ac 6c7 7c9 89c abc"),
    (0b01101001, 0b000000, False, "084 1b5 297 3a6"),
    (0b01101001, 0b000001, False, "03a 083 0a4 1b5 297 386"),
    (0b01101001, 0b000101, False, "09c 0c4 1b5 28c 2c7 3ac 3c6 4ca 6c8 7c9"),
    (0b01101001, 0b010101, False, "09c 0c5 1bc 1c4 28c 2c7 3ac 3c6 4ca 5cb 6c8 7c9"),
    (0b01101001, 0b010110, False, "095 184 1b8 28b 2b7 3a6"),
)

# For each cut that several tilings fit, in order of the cuts: which of the tilings, in order.
_CHOICES = (
    "10101110010111000101100111110100001101011501111001110000000010111010001011110010002001101011111001001000001101"
    "10010001110100101103200230111011001000101111130110010000111011010111010010011031111100000100110111032002301101"
    "00101110001001001100001101100111110001100200011011110100110110011000000111100111105110100100001011111001101001"
    "11101001110101"
)


@dataclass(frozen=True)
class Tables:
    """The tilings as arrays."""

    ambiguous: NDArray[np.uint8]  # (256,) by corners outside: bits of the faces that can be joined or not
    tunnels: NDArray[np.bool_]  # (256,) by corners outside: whether a tunnel is possible if no face is joined
    tiling: NDArray[np.int16]  # (256, 64, 2) by corners outside, faces joined, tunnel: index into the next two
    counts: NDArray[np.int64]  # (tilings,) number of triangles
    triangles: NDArray[np.int64]  # (tilings, 12, 3) edges; what lies past the count is 0


@cache
def tables() -> Tables:
    """Makes the arrays; index 0 is the tiling without triangles, also for cuts that no values can make."""
    chosen = _chosen_tilings()
    distinct = sorted(set(chosen.values()), key=lambda tiling: (len(tiling), tiling))
    number = {tiling: i for i, tiling in enumerate(distinct)}
    tiling = np.zeros((256, 64, 2), np.int16)
    triangles = np.zeros((len(distinct), 12, 3), np.int64)
    for (outside, joined, tunnel), cut_tiling in chosen.items():
        tiling[outside, joined, int(tunnel)] = number[cut_tiling]
    for i, corners in enumerate(distinct[1:], start=1):
        triangles[i, : len(corners)] = corners
    return Tables(
        ambiguous=np.array([_ambiguous_faces(outside) for outside in range(256)], np.uint8),
        tunnels=tiling[:, 0, 1] > 0,
        tiling=tiling,
        counts=np.array([len(corners) for corners in distinct], np.int64),
        triangles=triangles,
    )


def _chosen_tilings() -> dict[Cut, Tiling]:
    fitting: dict[Cut, set[Tiling]] = {(0, 0, False): {()}, (255, 0, False): {()}}
    for outside, joined, tunnel, digits in _BASES:
        tiling = [(int(a, 13), int(b, 13), int(c, 13)) for a, b, c in digits.split()]
        for symmetry in _symmetries():
            cut = symmetry.cut(outside, joined, tunnel)
            # If outside corners are joined across a face, Lewiner's method has no tunnel.
            if not (cut[1] and cut[2]):
                fitting.setdefault(cut, set()).add(symmetry.tiling(tiling))
    choices = iter(_CHOICES)
    return {
        cut: sorted(tilings)[int(next(choices)) if len(tilings) > 1 else 0] for cut, tilings in sorted(fitting.items())
    }


@dataclass(frozen=True)
class _Symmetry:
    """The parts of a cell after a symmetry, and whether it exchanges inside and outside."""

    corners: tuple[int, ...]
    edges: tuple[int, ...]  # the middle included
    faces: tuple[int, ...]
    mirrors: bool
    exchanges: bool

    def cut(self, outside: int, joined: int, tunnel: bool) -> Cut:  # noqa: FBT001  a part of the cut
        outside = _moved_bits(outside, self.corners)
        joined = _moved_bits(joined, self.faces)
        if self.exchanges:
            outside ^= 0xFF
            joined ^= _ambiguous_faces(outside)
        return outside, joined, tunnel

    def tiling(self, tiling: list[tuple[int, int, int]]) -> Tiling:
        turn = -1 if self.mirrors != self.exchanges else 1
        moved = (tuple(self.edges[edge] for edge in triangle)[::turn] for triangle in tiling)
        return tuple(sorted(_smallest_first(*triangle) for triangle in moved))


def _symmetries() -> Iterator[_Symmetry]:
    places = [(c & 1, c >> 1 & 1, c >> 2) for c in range(8)]
    edges = {frozenset(ends): i for i, ends in enumerate(EDGES)}
    faces = {frozenset(ring): i for i, ring in enumerate(FACES)}
    for axes, flips, exchanges in product(permutations(range(3)), product((0, 1), repeat=3), (False, True)):
        corners = tuple(sum((p[axes[i]] ^ flips[i]) << i for i in range(3)) for p in places)
        even = axes in {(0, 1, 2), (1, 2, 0), (2, 0, 1)}
        yield _Symmetry(
            corners=corners,
            edges=(*(edges[frozenset(corners[c] for c in ends)] for ends in EDGES), MIDDLE),
            faces=tuple(faces[frozenset(corners[c] for c in ring)] for ring in FACES),
            mirrors=even == (sum(flips) % 2 == 1),
            exchanges=exchanges,
        )


def _ambiguous_faces(outside: int) -> int:
    bits = 0
    for face, ring in enumerate(FACES):
        a, b, c, d = (outside >> corner & 1 for corner in ring)
        bits |= (a == c != b == d) << face
    return bits


def _moved_bits(bits: int, to: tuple[int, ...]) -> int:
    return sum((bits >> i & 1) << target for i, target in enumerate(to))


def _smallest_first(a: int, b: int, c: int) -> tuple[int, int, int]:
    return min((a, b, c), (b, c, a), (c, a, b))
