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
from ..link.job import Job, JobState, Reading
from ..scene import masks
from ..scene.picture_files import turned_back, turned_upright
from ..scene.pictures import shrunk_size
from ..scene.reading import Steps, read_all, read_shrunk, still
from .request import PRODUCT, ask
from .strokes import INPUT as STROKES
from .strokes import Stroke, picture_of

BAD_MASK = "bad-cutout"  # the code of an engine's refusal
MAX_SIDE = 2048  # of the picture that is asked about: every stroke sends it


@dataclass(eq=False)
class Drawing:
    """See the module.

    picture: the session UID of the image. title: what it is called. height, width: rows and columns of the picture that
    strokes are drawn over, as Blender shows it. inputs: what is sent besides the strokes; empty until it is read. lies:
    how Blender shows the picture, which is sent upright (`pictures.upright`); known when it is read.
    current: the stroke that is being drawn, which is not asked about yet. undone: strokes that were taken back. mask:
    the last answer, uint8 (h, w), upright, row 0 on top; None while nothing was found. refused: why the picture's own
    mask is not among the inputs although it has one.
    """

    picture: int
    title: str
    engine: str
    settings: Mapping[str, Scalar]
    height: int
    width: int
    inputs: Mapping[str, NDArray[np.uint8]] = field(default_factory=dict[str, NDArray[np.uint8]])
    lies: int = 1
    strokes: list[Stroke] = field(default_factory=list[Stroke])
    undone: list[Stroke] = field(default_factory=list[Stroke])
    current: Stroke | None = None
    mask: NDArray[np.uint8] | None = None
    job: Job | None = None
    refused: AddonError | None = None
    _reading: Steps[None] | None = None  # it goes on while strokes are drawn, each of which is another job
    _shown: tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None] | None = None

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
        self.job = ask(self.title, self.engine, self.settings, {}, self._hear, self._asked())

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

    def _asked(self) -> Reading:
        """Read what is not read yet, and add the strokes. Raises `AddonError`; then the next question reads anew."""
        while not self.inputs:
            self._reading = self._reading or self._read()
            try:
                next(self._reading)
            except StopIteration:
                break
            except AddonError:
                self._reading = None
                raise
            yield
        self._reading = None
        if not self.strokes:
            return self.inputs
        strokes = turned_upright(picture_of(self.strokes, self.height, self.width), self.lies)
        return {**self.inputs, STROKES: strokes}

    def _read(self) -> Steps[None]:
        """Read the picture and its mask, as they are now. Raises `AddonError`."""
        picture = still(self.picture)
        mask = masks.mask_of(picture)
        readings = {"picture": read_shrunk(picture, MAX_SIDE)} | ({masks.INPUT: self._read_mask(mask)} if mask else {})
        read = yield from read_all(readings)
        self.lies = read["picture"][1]
        self.inputs = {name: pixels for name, (pixels, _) in read.items() if pixels is not None}

    def _read_mask(self, mask: bpy.types.Image) -> Steps[tuple[NDArray[np.uint8] | None, int]]:
        try:
            return (yield from read_shrunk(mask, MAX_SIDE))
        except AddonError as error:  # its file may be gone
            self.refused = error
            return None, 1


def begin(picture: bpy.types.Image, engine: str, settings: Mapping[str, Scalar]) -> Drawing:
    """A drawing that goes on from the picture's mask, or from what the engine finds.

    A large picture is read while Blender goes on. Raises `AddonError`.
    """
    drawing = Drawing(picture.session_uid, picture.name, engine, settings, *shrunk_size(picture, MAX_SIDE))
    drawing.ask()
    return drawing
