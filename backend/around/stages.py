# SPDX-License-Identifier: GPL-3.0-or-later
"""The inputs that bring more pictures of the object, and the stages that cut them out and estimate their normals.

Each picture is a picture of its own, of any size: it passes through the very functions that the front's passes through.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..errors import UserError
from ..flow.engine import PICTURE
from ..flow.products import Noted
from ..flow.stage import Stage

BACK, LEFT, RIGHT = "back", "left", "right"
SIDES = {BACK: 180.0, LEFT: -90.0, RIGHT: 90.0}
"""The inputs by name, and the azimuths in degrees from which they see the object: as Blender's views of those names."""

_ABOUT = {
    BACK: "The picture from behind: {0}",
    LEFT: "The picture from the left: {0}",
    RIGHT: "The picture from the right: {0}",
}


def cutout_of(side: str) -> str:
    """The name of the product that is a side's cut-out."""
    return f"{side}_cutout"


def normal_map_of(side: str) -> str:
    """The name of the product that is a side's normal map."""
    return f"{side}_normal_map"


def tokens_of(side: str) -> str:
    """The name of the product that is a side's normal map as a network reads it."""
    return f"{side}_tokens"


def about(side: str, sentence: str) -> str:
    """A sentence that says of which picture it is."""
    return _ABOUT[side].format(sentence)


def seen_from(side: str, foreground: Stage, between: Sequence[Stage], normals: Stage) -> tuple[Stage, ...]:
    """The stages that make a side's cut-out and normal map, by those that make the front's.

    foreground: takes a picture. between: come behind it. normals: takes a cut-out. What they note and refuse says of
    which picture it is.
    """
    return (
        of_side(foreground, side),
        *(replace(of_side(stage, side), name=f"{side}_{stage.name}") for stage in between),
        of_side(normals, side),
    )


def of_side(stage: Stage, side: str) -> Stage:
    """A stage that makes of a side's picture what another makes of the front's, with the name of what it makes."""

    def run(*taken: Any, **used: Any) -> Any:  # noqa: ANN401
        try:
            made = stage.run(*taken, **used)
        except UserError as error:
            raise UserError(error.code, about(side, error.sentence), error.advice) from error
        if isinstance(made, Noted):
            return Noted(made.product, tuple(about(side, note) for note in made.notes))
        return made

    makes, takes = _named(stage.makes, side), tuple(_named(name, side) for name in stage.takes)
    return replace(stage, name=makes, makes=makes, takes=takes, run=run, when=side, unless="")


def _named(product: str, side: str) -> str:
    """The name of a side's product by that of the front's; its picture is the input itself."""
    return side if product == PICTURE else f"{side}_{product}"
