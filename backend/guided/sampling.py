# SPDX-License-Identifier: GPL-3.0-or-later
"""A coarse view becomes a picture with the texture of a reference (Yu et al., HiFi-123, 2023, section 3.1).

Both get noise by the inverse of DDIM. On the way back the view reads keys and values from the reference's tokens. The
reference never sees the view, so that its way back is computed once for all views, without a text: there guidance
changes nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ..flow.products import Report
from ..models.depth_diffusion import DepthDiffusion
from .injection import injecting, recording, self_attentions
from .recipe import Recipe
from .schedule import Schedule, clean, noisy


@dataclass(frozen=True)
class Step:
    """One step back, float32 (1, 4, h, w) each, on the network's device.

    number: from 0, which is pure noise. latent: before the step. noise: what the network, guided, sees in it. clean:
    the clean latent behind it. after: the latent that the next step has.
    """

    number: int
    latent: Tensor
    noise: Tensor
    clean: Tensor
    after: Tensor


@dataclass(frozen=True)
class Reference:
    """What views read of a reference.

    start: float32 (1, 4, h, w), its latent before the first step back. tokens: for each step, by its number, what each
    layer that is injected into read there, (1, N, C), on the CPU; empty for steps in which nothing is injected.
    """

    start: Tensor
    tokens: tuple[tuple[Tensor, ...], ...]


@dataclass(frozen=True)
class Texts:
    """Embedded texts, (1, N, C): none, and what the view shows. Without the second there is no guidance."""

    empty: Tensor
    wanted: Tensor | None = None


@dataclass(frozen=True)
class Coarse:
    """A coarse view: its latent, float32 (1, 4, h, w), its depth, (1, 1, h, w), and its mask, alike, 1 or 0."""

    latent: Tensor
    depth: Tensor
    mask: Tensor


def invert(
    network: DepthDiffusion, latent: Tensor, depth: Tensor, context: Tensor, schedule: Schedule, steps: int
) -> Iterator[Tensor]:
    """Put noise into a clean latent, float32 (1, 4, h, w), step by step; gives the latent after each of the steps.

    The network is asked about the level that a step leads to. The first step leads from the lowest level to itself.
    """
    for step in range(steps):
        with torch.no_grad():
            noise = network.noise(latent, schedule.levels[step], depth, context)
            latent = noisy(clean(latent, noise, schedule.alpha_bar(step - 1)), noise, schedule.alpha_bar(step))
        yield latent


def step_back(schedule: Schedule, number: int, latent: Tensor, noise: Tensor) -> Step:
    """One step of DDIM from a latent at the level of step `number`, with the noise that is seen in it."""
    step = schedule.steps - 1 - number
    whole = clean(latent, noise, schedule.alpha_bar(step))
    return Step(number, latent, noise, whole, noisy(whole, noise, schedule.alpha_bar(step - 1)))


def reference_steps(
    network: DepthDiffusion, start: Tensor, depth: Tensor, empty: Tensor, recipe: Recipe
) -> Iterator[tuple[Step, tuple[Tensor, ...]]]:
    """The reference's way back from `start`, and what the layers that are injected into read in each step."""
    layers, schedule, latent = self_attentions(network.unet)[recipe.first_layer :], recipe.schedule, start
    for number in range(recipe.first, recipe.steps):
        with torch.no_grad(), recording(layers if number >= recipe.first_injected else []) as tokens:
            noise = network.noise(latent, schedule.level(number), depth, empty)
            step = step_back(schedule, number, latent, noise)
        yield step, tuple(tokens)
        latent = step.after


def read_reference(
    network: DepthDiffusion, latent: Tensor, depth: Tensor, empty: Tensor, recipe: Recipe, report: Report
) -> Reference:
    """What views need of a reference, from its clean latent, float32 (1, 4, h, w), and its depth, (1, 1, h, w).

    empty: (1, N, C), the embedded empty text. It takes `reference_inverted` evaluations, and as many again.
    """
    whole, start = 2 * recipe.reference_inverted, latent
    report(0, whole)
    inversion = invert(network, latent, depth, empty, recipe.schedule, recipe.reference_inverted)
    for done, start in enumerate(inversion, 1):  # noqa: B007  the last one is the start
        report(done, whole)
    tokens: list[tuple[Tensor, ...]] = [()] * recipe.first
    for step, seen in reference_steps(network, start, depth, empty, recipe):
        tokens.append(tuple(each.cpu() for each in seen))
        report(recipe.reference_inverted + step.number - recipe.first + 1, whole)
    return Reference(start, tuple(tokens))


def noisy_view(network: DepthDiffusion, coarse: Coarse, empty: Tensor, recipe: Recipe) -> Iterator[Tensor]:
    """The coarse view's latent with noise, after each step of the inversion; the last one is what `redraw` needs."""
    return invert(network, coarse.latent, coarse.depth, empty, recipe.schedule, recipe.inverted)


def redraw(
    network: DepthDiffusion, reference: Reference, coarse: Coarse, noised: Tensor, texts: Texts, recipe: Recipe
) -> Iterator[Step]:
    """The view's way back, step by step; `after` of the last step is the latent of its picture.

    noised: float32 (1, 4, h, w), the coarse view's latent with noise, see `noisy_view`.
    """
    layers, schedule = self_attentions(network.unet)[recipe.first_layer :], recipe.schedule
    contexts = texts.empty if texts.wanted is None else torch.cat([texts.empty, texts.wanted])
    latent = noised if recipe.symmetric else reference.start
    for number in range(recipe.first, recipe.steps):
        tokens = reference.tokens[number]
        with torch.no_grad(), injecting(layers if tokens else [], tokens):
            found = network.noise(
                latent.expand(len(contexts), -1, -1, -1), schedule.level(number), coarse.depth, contexts
            )
            without, wanted = found[:1], found[-1:]
            noise = without + recipe.guidance * (wanted - without) if len(found) > 1 else without
            step = step_back(schedule, number, latent, noise)
        yield step
        latent = step.after
        if number == recipe.swapped:
            latent = coarse.mask * noised + (1 - coarse.mask) * latent
