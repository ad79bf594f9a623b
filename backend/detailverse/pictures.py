# SPDX-License-Identifier: GPL-3.0-or-later
"""The stage that makes a picture of each prompt, by any text-to-image pipeline of diffusers."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ..batch.made import Made
from ..batch.running import Task
from ..files.pictures import write_picture
from ..nn.device import choose
from ..nn.pipelines import load_pipeline, running

_ADVICE = "Give a folder with model_index.json, or a name of the public hub, of a pipeline from text to pictures."
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
        with running(compute.device):
            pixels = self._made(settings, task.request["seed"], compute.device, compute.dtype)
        write_picture(Path(task.folder, f"{task.stem}.png"), pixels)
        return Made()

    def _made(
        self, settings: Mapping[str, Any], seed: int, device: torch.device, dtype: torch.dtype
    ) -> np.ndarray[Any, np.dtype[np.uint8]]:
        if self._name != settings["pipeline"]:
            self._pipeline, self._name = None, ""
            self._pipeline = load_pipeline("AutoPipelineForText2Image", settings["pipeline"], dtype, _ADVICE).to(device)
            self._name = settings["pipeline"]
        wanted = {"num_inference_steps": settings.get("steps"), "guidance_scale": settings.get("guidance")}
        wanted |= dict.fromkeys(_SIZES, settings["size"] or None)
        given = {name: value for name, value in wanted.items() if value is not None}
        generator = torch.Generator().manual_seed(seed)  # on the CPU: the same noise everywhere
        with torch.inference_mode():
            image = self._pipeline(prompt=settings["prompt"], generator=generator, **given).images[0]
        return np.array(image.convert("RGB"))
