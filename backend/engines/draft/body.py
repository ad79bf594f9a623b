# SPDX-License-Identifier: GPL-3.0-or-later
"""The body as two height fields over the lattice: its front and its back.

The sheet network says at a coarse size where front and back lie. The front keeps all that the normals show: it is what
they integrate to, and only its low frequencies are the network's. Front and back meet at the outline, half-way between
them: there the membrane m is a smooth image, close to their middle beside the rim and harmonic further inside. Then

    front = m + w (z - m)        back = m + w (b - m),   w = sqrt(1 - (1 - d / D)^2)

with z the front's height, b the back's, d the distance to the rim and D a few pixels. On the rim both are m, and leave
it at a right angle to the picture: a box has a wall there, and a flat thing has no edge like a knife's.
"""

from dataclasses import dataclass, replace

import numpy as np

from ...arrays import BoolArray, Float64Array, Int64Array
from ...geometry import integration
from ...raster import poisson
from ...raster.blur import box_mean
from ...raster.side_by_side import both
from ...raster.ticks import Poll, Tick
from .behind import Behind
from .heights import front_heights, smooth
from .rim import BAND, Rim, make_rim

_MEMBRANE_HOLD = 0.05  # of the membrane to the middle beside the rim; its own stiffness is 1
_WAVES = (1.0, 160 / 512)  # in sides of the cut-out: wavelengths that follow the guess, while integrating and after
_THINNEST = 0.008  # in sides of the cut-out: the least distance between front and back


@dataclass(frozen=True)
class Guess:
    """What the sheet network sees, at the lattice's points: float64 (H, W), in pixels, finite everywhere.

    front: the height to the viewer. typical, thickness: distances of the back behind it, positive: those of seed 0, and
    those that are built.
    """

    front: Float64Array
    typical: Float64Array
    thickness: Float64Array


@dataclass(frozen=True)
class Body:
    """A body over a lattice of (H, W) points. Images are float64 (H, W), in pixels, if not said otherwise.

    inside: bool (H, W). column, row: the point's position in the picture; pixel centres are whole numbers. Points
    nearer to the rim than `band` have slid towards it. front, back: the heights there, to the viewer; centred: both,
    (2, H, W), at the pixels' own centres. membrane: the height of the rim.
    """

    inside: BoolArray
    column: Float64Array
    row: Float64Array
    front: Float64Array
    back: Float64Array
    centred: Float64Array
    membrane: Float64Array
    band: float

    def moved_back(self, points: Int64Array) -> "Body":
        """Return the body with the points around some, flat indices int64 (N,), back at their pixels' centres.

        The effect fades out over the band's width, as a sharp end would itself fold the lattice.
        """
        near = np.zeros(self.inside.shape)
        near.ravel()[points] = 1.0
        reach = int(np.ceil(self.band))
        around = (box_mean(near, 2 * reach, beyond="zero") > 1e-9).astype(np.float64)
        share = np.clip(box_mean(around, reach, beyond="zero"), 0.0, 1.0)
        row, column = np.indices(self.inside.shape)
        return replace(
            self,
            column=self.column + share * (column - self.column),
            row=self.row + share * (row - self.row),
            front=self.front + share * (self.centred[0] - self.front),
            back=self.back + share * (self.centred[1] - self.back),
        )

    def surface(self, height: Float64Array) -> Float64Array:
        """Return column, row and height, float64 (3, H, W), of the lattice's points."""
        return np.stack([self.column, self.row, height])


def make_body(
    normals: Float64Array,
    alpha: Float64Array,
    side: int,
    guess: Guess,
    tick: Tick,
    *,
    thickness: float = 1.0,
    profile: float = 1.0,
    behind: Behind | None = None,
) -> Body:
    """Make the body that shows these normals and is as deep as a guess says.

    normals: float64 (H, W, 3), of any length, may be non-finite. alpha: float64 (H, W), above 0.5 inside; at least one
    pixel is. side: the cut-out's side in pixels, the unit of widths and distances. thickness: what the guess's is
    multiplied by. profile: the exponent that it is raised to, over the thickest place. behind: a picture of the back.
    """
    inside = alpha > 0.5
    holds = [(2 * np.pi / (wave * side)) ** 2 for wave in _WAVES]
    n = integration.clean(normals, inside)
    done = 0.0

    def integrated(poll: Poll) -> Float64Array:
        def reached(fraction: float) -> None:
            nonlocal done
            done = fraction
            poll()

        return front_heights(n, inside, guess.front, (holds[0], holds[1]), side, reached)

    def hung(poll: Poll) -> tuple[Rim, Float64Array]:
        u = poisson.potential(alpha, lambda _: poll())
        rim = make_rim(u, poisson.gradient(u, alpha), side)
        beside = inside & (rim.distance < rim.margin)
        middle = guess.front - guess.typical / 2  # not of b, so that nothing in front depends on what is chosen behind
        return rim, smooth(middle, _MEMBRANE_HOLD * beside, inside, lambda _: poll())

    z, (rim, m) = both(integrated, hung, lambda: tick(done))
    deepest = float(guess.thickness[inside].max())
    depth = thickness * deepest * (guess.thickness / deepest) ** profile
    b = guess.front - depth
    if behind is not None:
        b = behind.relief(z, b, inside, holds[0], side, lambda _: tick(done))
    b = np.minimum(b, z - _THINNEST * side)

    def raised(distance: Float64Array) -> Float64Array:
        w = np.sqrt(1.0 - (1.0 - np.clip(distance / rim.margin, 0.0, 1.0)) ** 2)
        return np.where(inside, m + w * (np.stack([z, b]) - m), 0.0)

    front, back = raised(rim.nearer)
    return Body(inside, rim.column, rim.row, front, back, raised(rim.distance), m, BAND * side)
