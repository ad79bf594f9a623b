# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the hi3dgen engine, each timed with its savings and as the baseline computes it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import benchmark_baseline as baseline
import full_size
import torch
from benchmark_timing import Bench, Race, raced, timed
from torch import Tensor
from weights_by_rule import input_by_rule, weights_by_rule

from backend.models.image_tokens import SIDE, image_tokens
from backend.models.latent_decoder import SUBDIVISION
from backend.models.presets import PRESETS
from backend.nn.sampler import Sampling
from backend.nn.sparse import Voxels
from backend.nn.transformer import DiffusionTransformer
from backend.surface.surface import extract_surface

_TIME = 0.7  # the flow's; an evaluation takes the same time at each
_ONCE = dict.fromkeys(PRESETS, 1)


@dataclass(frozen=True)
class Row:
    """One part of a stage: seconds each time, and how often it comes in a generation."""

    stage: str
    part: str
    ours: float
    baseline: float
    often: dict[str, int]  # by preset
    baseline_often: int
    difference: float | None = None  # of the results, as `Race` has it
    peak: float | None = None  # GiB


@dataclass(frozen=True)
class Saving:
    """The seconds that one saving takes off a generation with the published settings."""

    name: str
    seconds: float


@dataclass
class Measurements:
    """Everything that was measured."""

    rows: list[Row] = field(default_factory=list)
    savings: list[Saving] = field(default_factory=list)

    def total(self, preset: str | None) -> float:
        """Seconds of one generation, by a preset; None is the baseline."""
        if preset is None:
            return sum(row.baseline * row.baseline_often for row in self.rows)
        return sum(row.ours * row.often[preset] for row in self.rows)

    def add(self, stage: str, part: str, bench: Bench, ours: Callable[[], Any], other: Callable[[], Any]) -> Row:
        """Times a part that comes once in every generation, in both ways."""
        race = raced(bench, ours, other)
        self.rows.append(Row(stage, part, race.ours, race.other, _ONCE, 1, race.difference, race.peak))
        return self.rows[-1]

    def add_same(self, stage: str, part: str, bench: Bench, work: Callable[[], Any]) -> None:
        """Times a part in which there is nothing to save."""
        seconds, _, peak = timed(bench, work)
        self.rows.append(Row(stage, part, seconds, seconds, _ONCE, 1, None, peak))


def normals(bench: Bench, measurements: Measurements) -> None:
    """The normal estimator at 768 pixels, with its cross-attention to nothing folded away, and whole."""
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel  # noqa: PLC0415

    from backend.models.normal_estimator import (  # noqa: PLC0415
        ControlEncoder,
        build_estimator,
        decode,
        denoise,
        encode,
    )
    from backend.nn.checkpoint import fill  # noqa: PLC0415

    configs = full_size.NORMALS
    networks: Any = UNet2DConditionModel
    with torch.device("meta"):
        unet, control, vae = networks.from_config(configs["unet"]), ControlEncoder(configs["controlnet"]), _vae()
        forms = {"unet": unet.state_dict(), "controlnet": control.state_dict(), "vae": vae.state_dict()}
    weights = {part: weights_by_rule(tensors) for part, tensors in forms.items()}
    unused = {name: torch.zeros(0) for name in control.unused}
    fill(unet, weights["unet"], "the rule")
    fill(control, weights["controlnet"], "the rule")
    published = weights | {"controlnet": weights["controlnet"] | unused}
    estimator = build_estimator(configs, published, torch.float32, "the rule").to(bench.device, bench.dtype)
    unet, control = (network.to(device=bench.device, dtype=bench.dtype) for network in (unet, control))
    pixels = input_by_rule("input.image", (1, 3, 768, 768)).to(bench.device, bench.dtype)
    nothing = torch.zeros(1, 257, 1024, device=bench.device, dtype=bench.dtype)
    latent = encode(estimator, pixels)

    def folded() -> Tensor:
        features, middle = estimator.control(latent)
        return denoise(estimator, latent, features, middle)

    def whole() -> Tensor:
        features, middle = baseline.control_features(control, latent, nothing)
        residuals = {"down_block_additional_residuals": features, "mid_block_additional_residual": middle}
        return unet(latent, timestep=0, encoder_hidden_states=nothing, **residuals).sample

    measurements.add_same("normals", "VAE, there (the same)", bench, lambda: encode(estimator, pixels))
    row = measurements.add("normals", "control branch, UNet", bench, folded, whole)
    measurements.add_same("normals", "VAE, back (the same)", bench, lambda: decode(estimator, latent))
    measurements.savings.append(Saving("normals: no text is a bias", row.baseline - row.ours))


def tokens(bench: Bench, measurements: Measurements) -> None:
    """DINOv2 of the normal map."""
    network: Any = full_size.image_tokenizer().to(bench.device, bench.dtype)
    pixels = input_by_rule("input.pixels", (1, 3, SIDE, SIDE)).to(bench.device, bench.dtype)
    measurements.add_same("tokens", "DINOv2 (the same)", bench, lambda: image_tokens(network, pixels))


def structure(bench: Bench, measurements: Measurements) -> None:
    """The structure's flow model."""
    flow = full_size.structure_flow(bench.blocks)
    flow.compute_in(bench.dtype)
    flow.to(bench.device)
    noise = _noise(bench, 1, 8, *[full_size.STRUCTURE_FLOW.resolution] * 3)

    def plain(shown: Tensor) -> Tensor:
        return baseline.velocity(flow, noise, _TIME, shown)

    _compared("structure", bench, measurements, flow, ours=lambda *given: flow(noise, *given), plain=plain)


def structure_decoder(bench: Bench, measurements: Measurements) -> None:
    """The structure's decoder."""
    network = full_size.structure_decoder()
    network.compute_in(bench.dtype)
    network.to(bench.device)
    noise = _noise(bench, 1, 8, *[full_size.STRUCTURE_FLOW.resolution] * 3)
    measurements.add_same("structure", "decoder (the same)", bench, lambda: network(noise))


def latents(bench: Bench, measurements: Measurements) -> None:
    """The latents' flow model."""
    flow = full_size.latent_flow(bench.blocks)
    flow.compute_in(bench.dtype)
    flow.to(bench.device)
    coords = _shell(bench)
    noise = _noise(bench, len(coords), 8)

    def found() -> Voxels:
        voxels = Voxels(coords)
        for level in (voxels, voxels.cells):
            level.neighbours(0, 1)
        return voxels

    voxels = found()

    def plain(shown: Tensor) -> Tensor:
        with baseline.plain_convolutions(flow):
            return baseline.velocity(flow, noise, _TIME, shown, voxels)

    _compared("latents", bench, measurements, flow, ours=lambda *given: flow(noise, *given, voxels), plain=plain)
    searching, _, _ = timed(bench, found)
    measurements.rows.append(Row("latents", "neighbours and cells", searching, 0, _ONCE, 0))


def decoder(bench: Bench, measurements: Measurements) -> None:
    """The latents' decoder, then the surface."""
    features, at = _features(bench, measurements)
    resolution = SUBDIVISION * full_size.LATENT_DECODER.resolution
    features[:, :8] += sphere(at, resolution)
    row = measurements.add(
        "decoder",
        "surface",
        bench,
        lambda: extract_surface(at, features, resolution),
        lambda: baseline.extract_densely(at, features, resolution),
    )
    measurements.savings.append(Saving("decoder: marching cubes at voxels only", row.baseline - row.ours))


def _features(bench: Bench, measurements: Measurements) -> tuple[Tensor, Tensor]:
    """Times the decoder up to its features; gives them (N, 101), and their places (N, 3)."""
    network = full_size.latent_decoder()
    network.compute_in(bench.dtype)
    network.to(bench.device)
    coords = _shell(bench)
    given = _noise(bench, len(coords), 8)

    def plain() -> Any:  # noqa: ANN401
        with baseline.plain_convolutions(network):
            return network(given, Voxels(coords))

    row = measurements.add("decoder", "features", bench, lambda: network(given, Voxels(coords)), plain)
    measurements.savings.append(Saving("decoder: subdivisions and their neighbours", row.baseline - row.ours))
    features, fine = network(given, Voxels(coords))
    return features, fine.coords[:, 1:]


STAGES: dict[str, Callable[[Bench, Measurements], None]] = {
    "normals": normals,
    "tokens": tokens,
    "structure": structure,
    "occupancy": structure_decoder,
    "latents": latents,
    "decoder": decoder,
}


def evaluations(sampling: Sampling, *, seeing: bool) -> int:
    """How often sampling runs the model with the picture, or without it."""
    return sum(step.computed and (seeing or step.guided) for step in sampling.schedule())


def _compared(
    stage: str,
    bench: Bench,
    measurements: Measurements,
    flow: DiffusionTransformer,
    *,
    ours: Callable[..., Tensor],
    plain: Callable[[Tensor], Tensor],
) -> None:
    """A step with and without the picture, and what is done once for all steps.

    `ours` takes the time and the contexts, `plain` a picture's tokens; tokens of zeros are no picture.
    """
    measured = _costs(bench, flow, ours, plain)
    if bench.blocks:
        flow.blocks = flow.blocks[:0]
        flow.forget_times()
        measured = measured.of_all_blocks(_costs(bench, flow, ours, plain), full_size.BLOCKS / bench.blocks)
    spared: dict[bool, float] = {}
    for seeing, part in ((True, "step with the picture"), (False, "step without it")):
        often = {name: evaluations(getattr(preset, stage), seeing=seeing) for name, preset in PRESETS.items()}
        race, count = measured.steps[seeing], often["upstream"]
        measurements.rows.append(Row(stage, part, race.ours, race.other, often, count, race.difference, race.peak))
        spared[seeing] = race.other - race.ours
    published: Sampling = getattr(PRESETS["upstream"], stage)
    seen, blind = (evaluations(published, seeing=seeing) for seeing in (True, False))
    times = {name: evaluations(getattr(preset, stage), seeing=True) for name, preset in PRESETS.items()}
    measurements.rows.append(Row(stage, "keys and values", measured.contexts, 0, _ONCE, 0))
    measurements.rows.append(Row(stage, "modulations, first run", measured.modulations, 0, times, 0))
    measurements.savings += [
        Saving(f"{stage}: no picture is a constant", blind * (spared[False] - spared[True])),
        Saving(f"{stage}: keys and values kept", (seen + blind - 1) * measured.contexts),
        Saving(f"{stage}: modulations kept", blind * measured.modulations),
        Saving(f"{stage}: the rest", (seen + blind) * (spared[True] - measured.contexts - measured.modulations)),
    ]


@dataclass(frozen=True)
class _Costs:
    """The seconds that a flow model's parts take."""

    steps: dict[bool, Race]  # with the picture, and without it
    contexts: float
    modulations: float  # of one step

    def of_all_blocks(self, without: "_Costs", share: float) -> "_Costs":
        """The costs of `share` times as many blocks, given those of no block."""

        def grown(some: float, base: float) -> float:
            return base + share * (some - base)

        steps = {
            seeing: replace(race, ours=grown(race.ours, base.ours), other=grown(race.other, base.other))
            for (seeing, race), base in zip(self.steps.items(), without.steps.values(), strict=True)
        }
        return _Costs(steps, grown(self.contexts, without.contexts), grown(self.modulations, without.modulations))


def _costs(
    bench: Bench, flow: DiffusionTransformer, ours: Callable[..., Tensor], plain: Callable[[Tensor], Tensor]
) -> _Costs:
    shown = full_size.image_tokens_by_rule().to(bench.device)
    kept = flow.time_at(_TIME, bench.device)
    steps: dict[bool, Race] = {}
    for seeing, tokens in ((True, shown), (False, torch.zeros_like(shown))):
        contexts = flow.contexts(shown if seeing else None)
        steps[seeing] = raced(bench, partial(ours, kept, contexts), partial(plain, tokens))
    contexts, _, _ = timed(bench, lambda: flow.contexts(shown))
    modulations, _, _ = timed(bench, lambda: flow.time(torch.full((1,), 1000 * _TIME, device=bench.device)))
    return _Costs(steps, contexts, modulations)


def _shell(bench: Bench) -> Tensor:
    return full_size.shell(bench.voxels, full_size.LATENT_DECODER.resolution).to(bench.device)


def _noise(bench: Bench, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(bench.device)


def sphere(places: Tensor, resolution: int) -> Tensor:
    """Adds sense to random distances: those of a sphere through the shell's middle, (N, 1)."""
    from_centre = (places - (resolution - 1) / 2).square().sum(1, keepdim=True).sqrt()
    return (from_centre - from_centre.mean()) / resolution


def _vae() -> Any:  # noqa: ANN401
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL  # noqa: PLC0415

    network: Any = AutoencoderKL
    return network.from_config(full_size.NORMALS["vae"])
