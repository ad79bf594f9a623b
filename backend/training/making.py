# SPDX-License-Identifier: GPL-3.0-or-later
"""The objects that flow models learn from, as processes make them one by one, here or on a cluster.

An object is a function of its request and its name, to the bit on one kind of processor, whoever makes it: each process
computes with one thread, as several would add in another order.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import torch
from torch import Tensor

from ..batch.made import Made, Run, maker_by
from ..batch.running import Task
from ..batch.worker import Make
from ..errors import UserError
from ..nn.checkpoint import given_by
from ..nn.device import is_out_of_memory

SUFFIX = ".safetensors"
MIRRORED = "-mirrored"
"""How the stem of an encoded object's mirror image ends."""

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _shapes() -> Run:
    from .small.objects import drawn, tensors_of  # noqa: PLC0415 - compiles

    def make(task: Task) -> Made:
        """Draw object `number` of the seed."""
        _write(task, tensors_of(drawn(task.request["seed"], task.request["settings"]["number"])))
        return Made()

    return make


def _meshes() -> Run:
    from ..models.image_tokens import image_tokens, load_tokenizer  # noqa: PLC0415 - heavy, as all below
    from .core.devices import devices  # noqa: PLC0415
    from .finetune.preparing import random_of, read_mesh  # noqa: PLC0415
    from .norld.preparation import load_encoder, prepared  # noqa: PLC0415

    device = devices().device

    @lru_cache(1)
    def networks(encoder: str, tokenizer: str) -> tuple[Any, Any]:
        network: Any = load_tokenizer(Path(tokenizer))
        with given_by("--encoder"):
            return load_encoder(Path(encoder)).to(device), network.to(device)

    def make(task: Task) -> Made:
        """Prepare a mesh by the settings `encoder`, `tokenizer` and `views`; `mesh` is its path if it is no input."""
        settings = task.request["settings"]
        encoder, tokenizer = _needed(networks, settings["encoder"], settings["tokenizer"])
        file = Path(task.inputs["mesh"] if task.inputs else settings["mesh"])
        if not file.exists():
            sentence = f"“{file}” is not there for the process that was to read it."
            advice = "Check the path. Nodes of a cluster see it if it lies on a disk of all; GLB, PLY and STL are sent."
            raise UserError("no-mesh-file", sentence, advice)
        _, *mesh = read_mesh(file)
        vertices, triangles = (torch.from_numpy(part).to(device) for part in mesh)
        random = random_of(task.request["seed"], task.name)
        tokens = partial(image_tokens, tokenizer)
        _write(task, prepared(vertices, triangles, encoder, tokens, random, settings["views"]))
        return Made()

    return make


def _encoded() -> Run:
    from .small.encoding import encoded, load_encoders  # noqa: PLC0415 - heavy, as below
    from .small.objects import read  # noqa: PLC0415

    networks = lru_cache(1)(load_encoders)

    def make(task: Task) -> Made:
        """Encode an object and, if the setting `mirror` is on, its mirror image; by `networks` and with `scale`.

        If the setting `surfaces` is on, their files hold the true surface and its cameras, too.
        """
        settings = task.request["settings"]
        encoders = replace(_needed(networks, Path(settings["networks"])), scale=settings["scale"])
        plain, *others = encoded(
            read(Path(task.inputs["object"])), encoders, mirror=settings["mirror"], surfaces=settings["surfaces"]
        )
        for other in others:
            _write(task, other, MIRRORED)
        _write(task, plain)
        return Made()

    return make


STAGES: dict[str, Callable[[], Run]] = {"shapes": _shapes, "meshes": _meshes, "encoded": _encoded}
"""What imports a stage's libraries and returns what makes its objects."""


def maker_of(stage: str) -> Make:
    """What a process of a stage, a key of `STAGES`, makes its tasks by."""
    torch.set_num_threads(1)
    run = STAGES[stage]()

    def make(task: Task) -> Made:
        try:
            return run(task)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
        raise MemoryError  # after the except clause, whose traceback keeps tensors alive

    return maker_by(make)


def _needed(load: Callable[_P, _T], *what: _P.args, **named: _P.kwargs) -> _T:
    """Load networks, without which no object can be made: if they are missing, the command ends."""
    try:
        return load(*what, **named)
    except UserError as error:
        raise UserError("not-started", error.sentence, error.advice) from error


def _write(task: Task, tensors: Mapping[str, Tensor], ending: str = "") -> None:
    from safetensors.torch import save  # noqa: PLC0415

    content = save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()})
    Path(task.folder, f"{task.stem}{ending}{SUFFIX}").write_bytes(content)
