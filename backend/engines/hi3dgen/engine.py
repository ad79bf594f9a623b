# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine with the published networks: normal bridging (Hi3DGen; Ye et al. 2025), on any device that torch knows.

Nothing heavy is imported before the engine's first job.
"""

from typing import TYPE_CHECKING

from ...around.colours import PAINT_SIDES
from ...around.stages import SIDES, of_side, seen_from, tokens_of
from ...detail.stages import DETAILED
from ...flow.engine import Engine
from ...flow.late import made_late
from ...flow.products import Cutout, Mesh, NormalMap, Noted, Report
from ...flow.stage import Stage, of_each
from ...foreground.mask import OWN_CUTOUT, STROKES
from ...foreground.stages import READ_OWN as READ_OWN_CUTOUT
from ...mesh.clean import clean as drop_stray
from ...mesh.parts import drop_floaters
from ...mesh.reduce import reduce as reduce_to
from ...mesh.stand import stand
from ...nn.environment import prepare_environment
from ...nn.libraries import lacking
from ...normals.image import OWN_NORMAL_MAP
from ...normals.stages import READ_OWN
from ...texture.stages import COLOURED, LIT
from ...upscale.chosen import versions as upscaler_versions
from ...upscale.stages import UPSCALED
from ...weights import store
from ...weights.catalogue import FOREGROUND, GUIDED, PACKAGES
from .settings import PRESETS, SETTINGS

if TYPE_CHECKING:
    from .stages import Stages


def hi3dgen() -> Engine:
    """The engine, with networks of its own that it keeps between jobs."""
    stages, unload = made_late(_stages)
    foreground = Stage(
        "foreground",
        "Cutting out",
        "cutout",
        ("picture",),
        ("upstream_preprocessing", "precision"),
        lambda *taken, **used: stages().cut_out(*taken, **used),
        unless=STROKES,
    )
    normals = Stage(
        "normals",
        "Estimating normals",
        "normal_map",
        ("cutout",),
        ("precision",),
        lambda *taken, **used: stages().estimate(*taken, **used),
        unless=OWN_NORMAL_MAP,
    )
    tokens = Stage(
        "tokens",
        "Reading the normal map",
        "tokens",
        ("normal_map",),
        ("precision",),
        lambda *taken, **used: stages().read(*taken, **used),
    )
    more = tuple(tokens_of(side) for side in SIDES)
    return Engine(
        name="hi3dgen",
        label="Networks",
        description="The published networks: sees what the picture shows and invents the rest as it likely is",
        needs_gpu=False,
        missing=missing,
        versions=versions,
        settings=SETTINGS,
        inputs=("picture", OWN_CUTOUT, STROKES, OWN_NORMAL_MAP, *SIDES),
        gives={"normal_map": NormalMap, "mesh": Mesh},
        on_request={"cutout": Cutout},
        stages=(
            READ_OWN_CUTOUT,
            foreground,
            Stage(  # on its own, so that the network looks once at a picture that gets stroke after stroke
                "found",
                "Finding the object",
                "picture",
                ("picture",),
                ("precision",),
                lambda *taken, **used: stages().found(*taken, **used),
                when=STROKES,
            ),
            Stage(
                "marked",
                "Cutting out",
                "cutout",
                ("picture", STROKES),
                ("upstream_preprocessing",),
                lambda *taken, **used: stages().cut_out_by_strokes(*taken, **used),
                when=STROKES,
            ),
            *UPSCALED,
            normals,
            READ_OWN,
            *(stage for side in SIDES for stage in seen_from(side, foreground, UPSCALED, normals)),
            tokens,
            *(of_side(tokens, side) for side in SIDES),
            of_each(
                "structure",
                "Finding the coarse shape",
                "structure",
                ("tokens",),
                ("seed", "quality", "structure_steps", "structure_guidance", "precision"),
                lambda *taken, **used: stages().structures(*taken, **used),
                also=more,
            ),
            of_each(
                "latents",
                "Finding the details",
                "latents",
                ("tokens", "structure"),
                ("quality", "latent_steps", "latent_guidance", "steady_noise", "precision"),
                lambda *taken, **used: stages().latents(*taken, **used),
                also=more,
            ),
            of_each(
                "geometry",
                "Building the surface",
                "mesh",
                ("latents", "cutout", "normal_map"),
                ("solid", "whole", "precision"),
                lambda *taken, **used: stages().meshes(*taken, **used),
            ),
            Stage("clean", "Cleaning up", "mesh", ("mesh",), ("clean",), _clean),
            DETAILED,
            Stage("reduce", "Reducing", "mesh", ("mesh",), ("reduce", "faces"), _reduce),
            Stage("stand", "Setting down", "mesh", ("mesh",), ("upright",), stand),
            *COLOURED,
            Stage(  # before the normal texture, which is quick; the seed is for the refinement alone
                "unseen",
                "Drawing unseen sides",
                "mesh",
                ("mesh", "cutout"),
                ("colours", "unseen", "precision", "seed"),
                lambda *taken, **used: stages().draw(*taken, **used),
            ),
            PAINT_SIDES,
            *LIT,
        ),
        seconds=lambda stage, settings, inputs: stages().seconds(stage, settings, inputs),
        place=lambda: stages().place(),
        unload=unload,
        presets=PRESETS,
    )


def missing() -> str:
    """Why the engine cannot run here; empty if it can."""
    return lacking() or store.trouble([package for package in PACKAGES if not package.optional])


def versions() -> dict[str, str]:
    """The revisions of the weights by which a job is done; those that it can do without are left out if missing.

    The weights of an upscaler are known by their hash.
    """
    unused = {package.name for package in (FOREGROUND, GUIDED) if store.missing([package])}
    used = {name: revision for name, revision in store.revisions((*PACKAGES, GUIDED)).items() if name not in unused}
    return {**used, **upscaler_versions()}


def _clean(mesh: Mesh, *, clean: bool, report: Report) -> Mesh | Noted:
    return drop_stray(mesh, report=report, stray=drop_floaters if clean else None)


def _reduce(mesh: Mesh, *, reduce: bool, faces: int, report: Report) -> Mesh:
    return reduce_to(mesh, faces=faces, report=report) if reduce else mesh


def _stages() -> "Stages":
    prepare_environment()
    from .stages import Stages  # noqa: PLC0415  torch and all the rest

    return Stages()
