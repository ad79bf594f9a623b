# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines of diffusers that the user has: loaded, and run, with sentences for what can go wrong."""

import logging
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

import torch

from ..errors import Cancelled, UserError
from .device import TOO_SMALL, device_lost, device_name, is_device_lost, is_out_of_memory

log = logging.getLogger(__name__)


def load_pipeline(kind: str, name: str, dtype: torch.dtype, advice: str, **options: bool) -> Any:  # noqa: ANN401 - one of many
    """A pipeline by one of diffusers' classes: "DiffusionPipeline", or one such as "AutoPipelineForInpainting".

    name: a folder with model_index.json, or, unless the options say `local_files_only`, a name of the public hub.
    Weights are read from safetensors files alone. Raises `UserError` (engine-missing) with the advice; cancelling, a
    full memory and a lost device pass through.
    """
    import diffusers  # noqa: PLC0415 - heavy

    try:
        pipeline = getattr(diffusers, kind).from_pretrained(name, dtype=dtype, use_safetensors=True, **options)
    except Exception as error:  # a damaged folder can make any of its libraries raise anything
        reason = _reason(error)
        raise UserError("engine-missing", f"The pipeline “{name}” cannot be loaded: {reason}.", advice) from error
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def run_pipeline(pipeline: Any, given: Mapping[str, Any], advice: str) -> Any:  # noqa: ANN401
    """What a pipeline returns. Raises as `load_pipeline` does, if it wants something else than what it is given."""
    try:
        return pipeline(**given)
    except Exception as error:  # what a pipeline of anybody's raises nobody knows
        reason = _reason(error)
        sentence = f"The pipeline, a {type(pipeline).__name__}, has given up: {reason}."
        raise UserError("engine-missing", sentence, advice) from error


def _reason(error: Exception) -> str:
    """What a library's error says, in a line without its full stop, for people.

    Errors that say more as they are are raised again.
    """
    if isinstance(error, Cancelled | UserError) or is_out_of_memory(error) or is_device_lost(error):
        raise error
    log.error("a pipeline failed", exc_info=error)
    return next(iter(str(error).splitlines()), type(error).__name__)[:200].rstrip(". ")


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
            raise device_lost(device) from error
        raise
