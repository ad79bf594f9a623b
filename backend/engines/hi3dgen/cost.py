# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the hi3dgen engine will take on a slow device on which it has not run yet.

The operations of each stage are known; the speed of the device is measured. The operations were counted for an object
of 20,000 voxels.
"""

from dataclasses import replace

from ...around.stages import SIDES, cutout_of, normal_map_of, tokens_of
from ...flow.settings import Settings
from ...guided import complete, cost, refine
from ...guided.settings import FILLED, REFINED
from ...models.presets import PRESETS
from ...nn.sampler import Sampling
from ...texture.stages import FRONT

_TERA = 1e12
# Of the geometry's, 4.8 are the decoder's; the others stand for making the surface.
_ONCE = {"foreground": 2.5 * _TERA, "normals": 11.1 * _TERA, "tokens": 1 * _TERA, "geometry": 6 * _TERA}
_SIDES = {  # these stages cost as much for each further picture as for the first
    make(side): stage
    for side in SIDES
    for make, stage in ((cutout_of, "foreground"), (normal_map_of, "normals"), (tokens_of, "tokens"))
}
_STRUCTURE = (5.1 * _TERA, 4.1 * _TERA)  # an evaluation with the picture, and one without
_STRUCTURE_DECODER = 0.8 * _TERA
_LATENTS = (3.4 * _TERA, 3 * _TERA)


def sampling_of(preset: Sampling, steps: int, guidance: float) -> Sampling:
    """A preset's sampling with the artist's guidance and, unless they are 0, steps."""
    return replace(preset, steps=steps or preset.steps, guidance=guidance)


def operations(stage: str, settings: Settings, pictures: int = 1) -> float:
    """Floating-point operations of a stage with the engine's settings, for one seed; 0 for one without networks.

    pictures: of the object, which the flow models see in turn.
    """
    preset = PRESETS[str(settings["quality"])]
    if stage == "structure":
        return _of_flow(_STRUCTURE, preset.structure, settings, "structure", pictures) + _STRUCTURE_DECODER
    if stage == "latents":
        return _of_flow(_LATENTS, preset.latents, settings, "latent", pictures)
    if stage == "unseen":
        return _of_unseen(settings)
    return _ONCE.get(_SIDES.get(stage, stage), 0.0)


def _of_unseen(settings: Settings) -> float:
    """Operations of the sides that the picture does not show, if as many views are drawn as may be."""
    if settings["unseen"] == FILLED or settings["colours"] == FRONT:
        return 0.0
    refinement = cost.of_refinement(refine.Refinement()) if settings["unseen"] == REFINED else 0.0
    return cost.of_views(complete.Settings()) + refinement


def _of_flow(each: tuple[float, float], preset: Sampling, settings: Settings, name: str, pictures: int) -> float:
    """Operations of all evaluations of a flow model, `each` with a picture and without one."""
    sampling = sampling_of(preset, int(settings[f"{name}_steps"]), float(settings[f"{name}_guidance"]))
    sampling = sampling.in_turn(pictures)
    computed = [step for step in sampling.schedule() if step.computed]
    return len(computed) * each[0] + sum(step.guided for step in computed) * each[1]
