# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that makes a picture of each prompt, by any text-to-image pipeline of diffusers."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..batch.running import Task
from ..errors import UserError
from ..files.pictures import write_picture
from ..nn.device import TOO_SMALL, choose, device_name, is_device_lost, is_out_of_memory
from .made import Made

log = logging.getLogger(__name__)
_SIZES = ("width", "height")


class Maker:
    """Makes pictures, and keeps the pipeline from picture to picture."""

    def __init__(self) -> None:
        self._name = ""
        self._pipeline: Any = None

    def make(self, task: Task) -> Made:
        """Write the picture of a task's prompt.

        Settings: `prompt`, `pipeline`, `precision`, `size` (pixels, 0 for the pipeline's own), and `steps` and
        `guidance`, if they are not the pipeline's own. The same seed means the same noise on every device. Raises
        `UserError`.
        """
        settings = task.request["settings"]
        compute = choose(settings["precision"])
        try:
            pixels = self._made(settings, task.request["seed"], compute.device, compute.dtype)
        except (RuntimeError, MemoryError) as error:
            if is_out_of_memory(error):
                sentence = f"The memory of {device_name(compute.device)} was not enough for the pipeline."
                raise UserError("out-of-memory", sentence, f"Ask for smaller pictures. {TOO_SMALL}") from error
            if is_device_lost(error):
                sentence = f"{device_name(compute.device)} stopped answering."
                raise UserError("device-lost", sentence, "If it happens again, restart the computer.") from error
            raise
        write_picture(Path(task.folder, f"{task.stem}.png"), pixels)
        return Made()

    def _made(
        self, settings: Mapping[str, Any], seed: int, device: torch.device, dtype: torch.dtype
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if self._name != settings["pipeline"]:
            self._pipeline, self._name = None, ""
            self._pipeline = load(settings["pipeline"], dtype).to(device)
            self._name = settings["pipeline"]
        wanted = {"num_inference_steps": settings.get("steps"), "guidance_scale": settings.get("guidance")}
        wanted |= dict.fromkeys(_SIZES, settings["size"] or None)
        given = {name: value for name, value in wanted.items() if value is not None}
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise everywhere
        with torch.inference_mode():
            image = self._pipeline(prompt=settings["prompt"], generator=generator, **given).images[0]
        return np.array(image.convert("RGB"))


def load(name: str, dtype: torch.dtype) -> Any:  # noqa: ANN401 - one of diffusers' many pipelines
    """The pipeline in a folder of this name, or of the public hub. Weights are read from safetensors files alone.

    Raises `UserError` (engine-missing, which ends a batch).
    """
    from diffusers.pipelines.auto_pipeline import AutoPipelineForText2Image  # noqa: PLC0415 - heavy

    try:
        pipeline: Any = AutoPipelineForText2Image.from_pretrained(name, dtype=dtype, use_safetensors=True)
    except Exception as error:  # a damaged folder can make any of its libraries raise anything
        log.exception("the pipeline cannot be loaded")
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        sentence = f"The pipeline “{name}” cannot be loaded: {reason:.200}."
        advice = (
            "Give a folder with model_index.json, or a name of the public hub, of a pipeline from text to pictures."
        )
        raise UserError("engine-missing", sentence, advice) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
