# SPDX-License-Identifier: GPL-3.0-or-later
"""A cut-out that is being drawn: the strokes so far, and what an engine answers to them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import bpy
import numpy as np
from numpy.typing import NDArray

from ...backend.wire import products
from ...backend.wire.limits import Scalar
from ...backend.wire.messages import Result
from ..errors import AddonError
from ..link import runtime
from ..link.job import Job, JobState
from ..scene import masks
from ..scene.picture_files import turned_back, turned_upright
from ..scene.pictures import pixels_of, upright
from .request import PRODUCT, ask
from .strokes import INPUT as STROKES
from .strokes import Stroke, picture_of

BAD_MASK = "bad-cutout"  # the code of an engine's refusal
MAX_SIDE = 2048  # of the picture that is asked about: every stroke sends it


@dataclass(eq=False)
class Drawing:
    """See the module.

    picture: the session UID of the image. title: what it is called. inputs: what is sent besides the strokes. lies: how
    Blender shows the picture, which is sent upright (`pictures.upright`). Strokes are drawn over what it shows.
    current: the stroke that is being drawn, which is not asked about yet. undone: strokes that were taken back. mask:
    the last answer, uint8 (h, w), upright, row 0 on top; None while nothing was found. refused: why the picture's own
    mask is not among the inputs although it has one.
    """

    picture: int
    title: str
    engine: str
    settings: Mapping[str, Scalar]
    inputs: Mapping[str, NDArray[np.uint8]]
    lies: int = 1
    strokes: list[Stroke] = field(default_factory=list[Stroke])
    undone: list[Stroke] = field(default_factory=list[Stroke])
    current: Stroke | None = None
    mask: NDArray[np.uint8] | None = None
    job: Job | None = None
    refused: AddonError | None = None
    _shown: tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None] | None = None

    @property
    def height(self) -> int:
        """Rows of the picture that strokes are drawn over."""
        return self.inputs["picture"].shape[0 if self.lies <= 4 else 1]

    @property
    def width(self) -> int:
        """Columns of the picture that strokes are drawn over."""
        return self.inputs["picture"].shape[1 if self.lies <= 4 else 0]

    @property
    def shown_mask(self) -> NDArray[np.uint8] | None:
        """The last answer as it lies over what Blender shows; the same array for the same answer."""
        if self._shown is None or self._shown[0] is not self.mask:
            self._shown = self.mask, None if self.mask is None else turned_back(self.mask, self.lies)
        return self._shown[1]

    @property
    def waits(self) -> bool:
        """Whether an answer is on its way."""
        return self.job is not None and self.job.live

    @property
    def answered(self) -> bool:
        """Whether the mask is the answer to all strokes, and to no other question."""
        return self.mask is not None and self.job is not None and self.job.state is JobState.DONE

    @property
    def error(self) -> AddonError | None:
        """Why the last question has no answer."""
        return self.job.error if self.job and self.job.state is JobState.FAILED else None

    def end_stroke(self) -> None:
        """The current stroke is done: ask what it changes."""
        if self.current:
            self.strokes.append(self.current)
            self.current = None
            self.undone.clear()
            self.ask()

    def undo(self) -> None:
        """Take the last stroke back."""
        if self.strokes:
            self.undone.append(self.strokes.pop())
            self.ask()

    def redo(self) -> None:
        """Draw the stroke again that was taken back last."""
        if self.undone:
            self.strokes.append(self.undone.pop())
            self.ask()

    def ask(self) -> None:
        """Ask the engine; what it was asked before is forgotten. Raises `AddonError`."""
        self.forget_job()
        self.job = None
        inputs = dict(self.inputs)
        if self.strokes:
            inputs[STROKES] = turned_upright(picture_of(self.strokes, self.height, self.width), self.lies)
        self.job = ask(self.title, self.engine, self.settings, inputs, self._hear)

    def go_on_without_bad_mask(self) -> None:
        """If the engine refuses the picture's mask, ask without it. Raises `AddonError`."""
        if self.error and self.error.code == BAD_MASK and masks.INPUT in self.inputs:
            self.refused = self.error
            self.inputs = {name: pixels for name, pixels in self.inputs.items() if name != masks.INPUT}
            self.ask()

    def forget_job(self) -> None:
        """Ask no more."""
        if self.job:
            runtime.session().cancel(self.job)

    def _hear(self, result: Result) -> None:
        cutout = result.products.get(PRODUCT)
        if isinstance(cutout, products.Cutout):
            self.mask = cutout.mask


def begin(picture: bpy.types.Image, engine: str, settings: Mapping[str, Scalar]) -> Drawing:
    """A drawing that goes on from the picture's mask, or from what the engine finds. Raises `AddonError`."""
    pixels, lies = upright(picture, MAX_SIDE)
    drawing = Drawing(picture.session_uid, picture.name, engine, settings, {"picture": pixels}, lies)
    if mask := masks.mask_of(picture):
        try:
            drawing.inputs = {**drawing.inputs, masks.INPUT: pixels_of(mask, MAX_SIDE)}
        except AddonError as error:  # its file may be gone
            drawing.refused = error
    drawing.ask()
    return drawing
