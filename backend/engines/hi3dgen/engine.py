# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with the published networks: normal bridging (Hi3DGen; Ye et al. 2025), on any device that torch knows.

Nothing heavy is imported before the engine's first job.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ...flow.engine import Engine, Stage
from ...flow.products import Cutout, Mesh, Report
from ...mesh.finish import finish
from ...mesh.parts import drop_floaters
from ...mesh.rim import inset
from ...nn.environment import prepare_environment
from ...weights import store
from ...weights.catalogue import PACKAGES
from ...wire.settings import HI3DGEN_SETTINGS

if TYPE_CHECKING:
    from .stages import Stages

LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "PIL")


def hi3dgen() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    made: list[Stages] = []

    def stages() -> "Stages":
        if not made:
            prepare_environment()
            from .stages import Stages  # noqa: PLC0415  torch and all the rest

            made.append(Stages())
        return made[0]

    def unload() -> None:
        for each in made:
            each.unload()

    return Engine(
        name="hi3dgen",
        label="Hi3DGen",
        description="The published networks: sees what the picture shows and invents the rest as it likely is",
        needs_gpu=False,
        missing=missing,
        settings=HI3DGEN_SETTINGS,
        stages=(
            Stage(
                "foreground",
                "Cutting out",
                ("picture",),
                ("upstream_preprocessing", "precision"),
                lambda *taken, **used: stages().cut_out(*taken, **used),
            ),
            Stage(
                "normals",
                "Estimating normals",
                ("foreground",),
                ("precision",),
                lambda *taken, **used: stages().estimate(*taken, **used),
            ),
            Stage(
                "tokens",
                "Reading the normal map",
                ("normals",),
                ("precision",),
                lambda *taken, **used: stages().read(*taken, **used),
            ),
            _of_each(
                "structure",
                "Finding the coarse shape",
                ("tokens",),
                ("seed", "quality", "structure_steps", "structure_guidance", "precision"),
                lambda *taken, **used: stages().structures(*taken, **used),
            ),
            _of_each(
                "latents",
                "Finding the details",
                ("tokens", "structure"),
                ("quality", "latent_steps", "latent_guidance", "steady_noise", "precision"),
                lambda *taken, **used: stages().latents(*taken, **used),
            ),
            _of_each(
                "geometry",
                "Building the surface",
                ("latents", "foreground", "normals"),
                ("solid", "whole", "precision"),
                lambda *taken, **used: stages().meshes(*taken, **used),
            ),
            Stage("finish", "Finishing", ("geometry", "foreground"), ("clean", "reduce", "faces"), _finish),
        ),
        seconds=lambda stage, settings: stages().seconds(stage, settings),
        place=lambda: stages().place(),
        unload=unload,
    )


def missing() -> str:
    """Why the engine cannot run here; empty where it can."""
    lacking = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
    if "torch" in lacking:
        return "PyTorch, which it needs, is not installed yet."
    if lacking:
        return f"Libraries that it needs are missing: {', '.join(lacking)}."
    return store.trouble([package for package in PACKAGES if not package.optional])


def _of_each(
    name: str, label: str, takes: tuple[str, ...], uses: tuple[str, ...], run_many: Callable[..., list[Any]]
) -> Stage:
    """A stage that does several seeds at once, and one as a list of one."""

    def run(*taken: Any, **used: Any) -> Any:  # noqa: ANN401
        if "seed" in used:
            used["seeds"] = [used.pop("seed")]
        return run_many(*([result] for result in taken), **used)[0]

    return Stage(name, label, takes, uses, run, run_many)


def _finish(mesh: Mesh, cutout: Cutout, *, clean: bool, reduce: bool, faces: int, report: Report) -> Mesh:
    inside = replace(mesh, uv=inset(mesh.uv, cutout.alpha))
    return finish(inside, cutout.crop, report, faces=faces, clean=clean, reduce=reduce, stray=drop_floaters)
