# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that paints what the picture does not show, view by view, by an inpainting pipeline that the user has."""

import inspect
import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ...arrays import UInt8Array
from ...errors import UserError
from ...flow.products import Noted, Panorama, Report, noted
from ...nn.checks import require_finite
from ...nn.device import Compute, choose, release
from ...nn.pipelines import load_pipeline, run_pipeline, running
from ...nn.watching import part, repeating
from .placing import Placed
from .views import VIEWS, blend, canvas_of, next_of, seen, unknown_of

_ADVICE = "Give a folder with model_index.json, as diffusers saves it, of a pipeline that paints into pictures."
_MULTIPLE = 64
"""Pixels: every pipeline's networks halve a view so often at most."""
_SIDE = 1024  # pixels of a view, if a pipeline does not say for which it was made
_GIVEN = {"prompt", "image", "mask_image", "height", "width", "strength", "num_inference_steps", "guidance_scale"}
"""What a pipeline gets, if it knows it, besides the noise and a call after each step."""


class Painter:
    """The stage, with the pipeline that it keeps between jobs; None if it has none. It belongs to one thread."""

    def __init__(self) -> None:
        self.pipeline: Any = None
        self._loaded: tuple[str, Compute] | None = None

    def place(self) -> str:
        """The device on which it computes, and the precision, as words."""
        return f"in {choose()}"

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        if self._loaded:
            _, compute = self._loaded
            self.pipeline, self._loaded = None, None
            release(compute.device)

    def paint(
        self,
        placed: Placed,
        panorama: Panorama,
        *,
        seed: int,
        pipeline: str,
        prompt: str,
        steps: int,
        guidance: float,
        side: int,
        precision: str,
        report: Report,
    ) -> Panorama | Noted:
        """The panorama with all that the picture does not show painted; what it shows stays as it is.

        Raises UserError if the folder holds no pipeline, or if the device cannot run it.
        """
        compute = choose(precision)
        canvas = canvas_of(placed, panorama)
        left = unknown_of(canvas, VIEWS)
        count, hidden = len(left), 0
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise everywhere
        given = {"prompt": prompt, "num_inference_steps": steps, "guidance_scale": guidance, "generator": generator}
        with repeating(report) as repeated, running(compute.device), torch.inference_mode():
            repeated(0, max(count, 1) * steps)
            paints = self._ready(pipeline, compute)
            side = _side_of(paints, side)
            for number in range(count):
                view = next_of(canvas, left)
                left.remove(view)
                own = part(repeated, number, number + 1, count)
                picture, mask = seen(canvas, view, side)
                if mask.any():
                    painted = _painted(paints, picture, mask, given, own)
                    if painted is None:
                        hidden += 1
                    else:
                        blend(canvas, view, painted, partial(own, steps, steps))
                own(steps, steps)
        refused = f"The pipeline's own filter hid {hidden} of its views: there the picture's colours are continued."
        return noted(Panorama(canvas.light), [refused] if hidden else [])

    def _ready(self, name: str, compute: Compute) -> Any:  # noqa: ANN401 - one of diffusers' many pipelines
        """The pipeline in a folder, on the device."""
        if self._loaded != (name, compute):
            self.unload()
            if not name or not Path(name).expanduser().joinpath("model_index.json").is_file():
                sentence = f"There is no pipeline in “{name}”." if name else "No pipeline is chosen to paint with."
                raise UserError("engine-missing", sentence, f"{_ADVICE} The engine “World” needs none.")
            loaded = _loaded(Path(name).expanduser(), compute.dtype)
            self.pipeline, self._loaded = loaded.to(compute.device), (name, compute)
        return self.pipeline


def _loaded(folder: Path, dtype: torch.dtype) -> Any:  # noqa: ANN401
    """The pipeline in a folder: of its own class if that paints, else of the one that diffusers has for inpainting.

    Raises UserError "engine-missing".
    """
    kind = "DiffusionPipeline" if paints(_class_in(folder)) else "AutoPipelineForInpainting"
    pipeline = load_pipeline(kind, str(folder), dtype, _ADVICE, local_files_only=True)
    if not paints(type(pipeline)):
        sentence = f"A {type(pipeline).__name__} does not paint into a picture by a mask and a prompt alone."
        raise UserError("engine-missing", sentence, _ADVICE)
    return pipeline


def _class_in(folder: Path) -> Any:  # noqa: ANN401
    """The class that a folder's model_index.json names, if diffusers has it; else None."""
    import diffusers  # noqa: PLC0415 - heavy

    try:
        name = json.loads((folder / "model_index.json").read_text("utf-8"))["_class_name"]
    except (OSError, ValueError, TypeError, KeyError):
        return None  # loading tells what is wrong
    return getattr(diffusers, name, None) if isinstance(name, str) else None


def paints(kind: Any) -> bool:  # noqa: ANN401 - a class of diffusers, or what stands in its place
    """Whether pipelines of a class take a picture and a mask, and need nothing that they would not get here."""
    call = inspect.signature(kind.__call__).parameters.values() if isinstance(kind, type) else ()
    needed = {each.name for each in call if each.default is each.empty and each.kind is not each.VAR_KEYWORD}
    return {"image", "mask_image"} <= {each.name for each in call} and needed - {"self"} <= _GIVEN


def _side_of(pipeline: Any, wanted: int) -> int:  # noqa: ANN401
    """Pixels along the sides of a view: those that are wanted, else those that the pipeline was made for."""
    parts = (getattr(pipeline, name, None) for name in ("unet", "transformer"))
    sizes = [getattr(part.config, "sample_size", None) for part in parts if part is not None]
    latent = next((size for size in sizes if isinstance(size, int)), getattr(pipeline, "default_sample_size", None))
    own = latent * _pixels_of_latent(pipeline) if isinstance(latent, int) else _SIDE
    return max(_MULTIPLE, (wanted or own) // _MULTIPLE * _MULTIPLE)


def _pixels_of_latent(pipeline: Any) -> int:  # noqa: ANN401
    """Pixels along the side of what a latent stands for: 1 in pipelines that compute with pixels."""
    coder = getattr(pipeline, "movq", None)  # Kandinsky's, whose pipelines do not say it otherwise
    return getattr(pipeline, "vae_scale_factor", 2 ** (len(coder.config.block_out_channels) - 1) if coder else 1)


def _painted(
    pipeline: Any,  # noqa: ANN401
    picture: UInt8Array,
    mask: UInt8Array,
    given: Mapping[str, Any],
    report: Report,
) -> UInt8Array | None:
    """A view in which what is white in the mask is painted, uint8 (side, side, 3); None if the pipeline hides it.

    given: what else the pipeline is called with, `num_inference_steps` among it; of all that it gets what it knows.
    """
    steps = given["num_inference_steps"]

    def after(_pipeline: object, step: int, _time: object, kept: dict[str, Any]) -> dict[str, Any]:
        if step + 1 >= steps and "latents" in kept:  # which would be black as a picture
            require_finite(kept["latents"], "pipeline")
        report(min(step + 1, steps), steps)  # some schedulers take more
        return kept

    side = len(picture)
    every = {
        **given,
        "image": Image.fromarray(picture),
        "mask_image": Image.fromarray(mask),
        "height": side,
        "width": side,
        "strength": 1.0,
        "callback_on_step_end": after,
    }
    known = inspect.signature(pipeline.__call__).parameters
    result = run_pipeline(pipeline, {name: value for name, value in every.items() if name in known}, _ADVICE)
    if any(getattr(result, "nsfw_content_detected", None) or ()):
        return None
    return np.array(result.images[0].convert("RGB").resize((side, side)))
