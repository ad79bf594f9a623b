# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines of diffusers that the user has: loaded, and run, with sentences for what can go wrong."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import torch

from ..errors import UserError
from .device import TOO_SMALL, device_name, is_device_lost, is_out_of_memory

log = logging.getLogger(__name__)


def load_pipeline(kind: str, name: str, dtype: torch.dtype, advice: str, **options: bool) -> Any:  # noqa: ANN401 - one of many
    """A pipeline by one of diffusers' automatic classes, such as "AutoPipelineForInpainting".

    name: a folder with model_index.json, or, unless the options say `local_files_only`, a name of the public hub.
    Weights are read from safetensors files alone. Raises `UserError` (engine-missing) with the advice.
    """
    from diffusers.pipelines import auto_pipeline  # noqa: PLC0415 - heavy

    try:
        pipeline = getattr(auto_pipeline, kind).from_pretrained(name, dtype=dtype, use_safetensors=True, **options)
    except Exception as error:  # a damaged folder can make any of its libraries raise anything
        log.exception("the pipeline cannot be loaded")
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise UserError("engine-missing", f"The pipeline “{name}” cannot be loaded: {reason:.200}.", advice) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@contextmanager
def running(device: torch.device) -> Generator[None]:
    """What a pipeline does within: a full memory and a lost device are raised as `UserError`."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if is_out_of_memory(error):
            sentence = f"The memory of {device_name(device)} was not enough for the pipeline."
            raise UserError("out-of-memory", sentence, f"Ask for smaller pictures. {TOO_SMALL}") from error
        if is_device_lost(error):
            sentence = f"{device_name(device)} stopped answering."
            raise UserError("device-lost", sentence, "If it happens again, restart the computer.") from error
        raise
