# SPDX-License-Identifier: GPL-3.0-or-later
"""How Zero123++ samples a sheet: Euler's method with fresh noise after each step (Karras et al. 2022, ancestral).

All noise is drawn in the published order: for the picture's latent, for that of the empty picture, for the sheet, and
then in each step for both references and for the sheet.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..flow.products import Report
from ..nn.checkpoint import damaged, described, read_description
from ..nn.checks import require_finite
from ..nn.noise import Draw
from .zero123plus import Hint, Moments, Painter

SPACING = "trailing"
"""How the noise levels are spread, which the authors advise instead of the published file's."""


@dataclass(frozen=True)
class Schedule:
    """Noise levels, from the noisiest to none, for N steps.

    levels: what the network is told, float32 (N,), of 1000. sigmas: the noise's deviation, float32 (N + 1,), the last
    is 0. start: the deviation that sampling starts with. velocity: whether the network predicts the velocity (Salimans
    and Ho 2022, appendix D), else the noise.
    """

    levels: Tensor
    sigmas: Tensor
    start: float
    velocity: bool = True


@dataclass(frozen=True)
class Conditions:
    """What is known of the picture: contexts (2, N, C) and moments of two pictures, the empty one first."""

    contexts: Tensor
    moments: Moments


@dataclass(frozen=True)
class Step:
    """One step: the sheet's latent before it, and the guided prediction for it, both (1, 4, h, w)."""

    latent: Tensor
    prediction: Tensor


def read_schedule(folder: Path, steps: int) -> Schedule:
    """The schedule that `folder`, laid out as sudo-ai/zero123plus-v1.2, describes, with the levels spread by `SPACING`.

    Raises UserError if the description is missing, damaged or of another kind of sampler.
    """
    path = folder / "scheduler" / "scheduler_config.json"
    return schedule_of({**read_description(path), "timestep_spacing": SPACING}, steps, str(path))


def schedule_of(config: dict[str, Any], steps: int, source: str) -> Schedule:
    """The schedule of diffusers' EulerAncestralDiscreteScheduler that `config` describes; errors as above."""
    from diffusers.schedulers.scheduling_euler_ancestral_discrete import (  # noqa: PLC0415
        EulerAncestralDiscreteScheduler,
    )

    with described(source, "sampler"):
        try:
            scheduler: Any = EulerAncestralDiscreteScheduler.from_config(config)
        except NotImplementedError as error:  # the library does not know such noise levels
            raise ValueError(str(error)) from error
        scheduler.set_timesteps(steps)
    kind = scheduler.config["prediction_type"]
    if kind not in {"v_prediction", "epsilon"}:
        raise damaged(f"{source} describes the unknown prediction {kind!r:.40}")
    start = float(scheduler.init_noise_sigma)
    return Schedule(scheduler.timesteps, scheduler.sigmas, start, velocity=kind == "v_prediction")


@torch.inference_mode()
def sample(
    painter: Painter,
    conditions: Conditions,
    schedule: Schedule,
    draw: Draw,
    report: Report,
    *,
    size: tuple[int, int],
    guidance: float,
    hint: Hint | None = None,
    together: bool = True,
    watch: Callable[[Step], None] = lambda _: None,
) -> Tensor:
    """A sheet's latent, float32 (1, 4, h, w) on the CPU.

    size: its h and w. guidance: how much the picture counts; 1 is as it is. together: whether the sheet goes through
    the network at once with the picture and without it, which takes twice the memory. `report` is called before each
    step and at the end; `watch` gets each step. Raises UserError if the network computes non-finite numbers.
    """
    device = next(painter.unet.parameters()).device
    own = (1, *conditions.moments.mean.shape[1:])
    picture_noise, empty_noise = draw(own), draw(own)
    reference = conditions.moments.sample(torch.cat([empty_noise, picture_noise])).to(device)
    contexts = conditions.contexts.to(device)
    latent = (draw((1, 4, *size)) * schedule.start).to(device)
    steps = len(schedule.levels)
    for i, level in enumerate(schedule.levels):
        report(i, steps)
        sigma, after = float(schedule.sigmas[i]), float(schedule.sigmas[i + 1])
        noised = reference + sigma * draw(tuple(reference.shape)).to(device)
        scale = (sigma**2 + 1) ** -0.5
        rows = [slice(0, 2)] if together else [slice(0, 1), slice(1, 2)]
        both: list[Tensor] = []
        for row in rows:
            painter.look(scale * noised[row], level, contexts[row])
            both.append(
                painter.predict((scale * latent).expand(row.stop - row.start, -1, -1, -1), level, contexts[row], hint)
            )
        without, wanted = torch.cat(both).split(1)
        prediction = without + guidance * (wanted - without)
        watch(Step(latent, prediction))
        latent = ancestral(latent, prediction, (sigma, after), draw(tuple(latent.shape)).to(device), schedule)
    painter.forget()
    report(steps, steps)
    return require_finite(latent, "network for the views").cpu()


def ancestral(
    latent: Tensor, prediction: Tensor, sigmas: tuple[float, float], noise: Tensor, schedule: Schedule
) -> Tensor:
    """The latent after a step from the first of two noise deviations to the second; all tensors have its shape.

    The step goes below the second, to sigma_down, and the noise fills up what lacks: sigma_up.
    """
    sigma, after = sigmas
    if schedule.velocity:
        clean = latent / (sigma**2 + 1) - prediction * sigma / (sigma**2 + 1) ** 0.5
    else:
        clean = latent - prediction * sigma
    up = (after**2 * (sigma**2 - after**2) / sigma**2) ** 0.5
    down = (after**2 - up**2) ** 0.5
    return latent + (latent - clean) / sigma * (down - sigma) + noise * up
