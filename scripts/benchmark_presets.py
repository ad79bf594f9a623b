# SPDX-License-Identifier: GPL-3.0-or-later
"""How near the presets come to the published settings.

    python scripts/benchmark.py presets                                  on flows whose velocity is known
    python scripts/benchmark.py presets --normal-map FILE --seeds 1 2 3  with the weights that are installed

Without weights, the flows are exact ones towards mixtures of normal distributions: data with a few modes, each with a
power law for a spectrum; with the picture only some of the modes are likely. Like learned flows they bend, choose a
mode and differ from their guidance, but they are not learned. With weights, a mesh is made with each preset and with
the published settings from the same seed. The row of the published settings shows the error of comparing meshes by
points.
"""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from backend.models.presets import PRESETS
from backend.nn.sampler import Sampling, Velocity, sample

Float64Array = NDArray[np.float64]
NEAR = 0.02  # of the unit cube: within it, a point of one surface counts as found on the other
_POINTS = 20_000
_DIMENSIONS, _MODES, _SEEN = 512, 12, 4


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py presets", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--normal-map", type=Path, metavar="FILE", help="a square picture with alpha, x right, y up")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args(arguments)
    if options.normal_map:
        with_weights(options.normal_map, options.seeds)
    else:
        on_mixtures()


def on_mixtures(apart: Sequence[float] = (6.0, 12.0, 24.0, 48.0)) -> dict[tuple[str, str], Float64Array]:
    """Prints, for each preset, how far its samples are from the published settings'; returns the differences.

    The mixtures' modes lie `apart`.
    """
    flows = [mixture(modes, slope, seed) for modes in apart for slope in (0.7, 1.3) for seed in (0, 1)]
    noises = [np.random.default_rng(seed).standard_normal(_DIMENSIONS) for seed in range(3)]
    print(f"{'preset':10} {'stage':10} {'evaluations':>11} {'median':>8} {'9 of 10':>8} {'another mode':>13}")
    found: dict[tuple[str, str], Float64Array] = {}
    for name, preset in PRESETS.items():
        for stage in ("structure", "latents"):
            ours: Sampling = getattr(preset, stage)
            published: Sampling = getattr(PRESETS["upstream"], stage)
            found[name, stage] = differences(flows, noises, ours, published)
            middle, most = np.quantile(found[name, stage], (0.5, 0.9))
            other = (found[name, stage] > 0.5).mean()
            print(f"{name:10} {stage:10} {ours.evaluations:11} {middle:8.1%} {most:8.1%} {other:13.1%}")
    finer = differences(flows, noises, Sampling(steps=800), PRESETS["upstream"].structure)
    print(f"For comparison, 800 steps differ from the published 50 by {np.median(finer):.1%} in the median.")
    return found


def differences(
    flows: Sequence[Velocity[Float64Array]], noises: Sequence[Float64Array], ours: Sampling, other: Sampling
) -> Float64Array:
    """|sample by `ours` - sample by `other`| / |that|, for every flow and noise."""
    ratios: list[float] = []
    for flow in flows:
        for noise in noises:
            expected = sample(flow, noise, other, _no_report)
            found = sample(flow, noise, ours, _no_report)
            ratios.append(float(np.linalg.norm(found - expected) / np.linalg.norm(expected)))
    return np.array(ratios)


def mixture(apart: float, slope: float, seed: int) -> Velocity[Float64Array]:
    """The exact flow to a mixture of `_MODES` normal distributions, some `apart`; with the picture to `_SEEN` of them.

    Each has the variances i^-slope, scaled to a mean of 0.3. v = (x - E[x_0 | x_t]) / t.
    """
    random = np.random.default_rng(seed)
    variances = np.arange(1, _DIMENSIONS + 1) ** -slope
    variances *= 0.3 / variances.mean()
    means = random.standard_normal((_MODES, _DIMENSIONS)) * np.sqrt(variances)
    means *= apart / np.sqrt(2) / np.linalg.norm(means, axis=1, keepdims=True)
    likely = np.full(_MODES, 1 / _MODES)
    seen = np.zeros(_MODES)
    seen[:_SEEN] = np.arange(_SEEN, 0, -1) / (_SEEN * (_SEEN + 1) / 2)

    def velocity(x: Float64Array, t: float, *, conditional: bool) -> Float64Array:
        spread = (1 - t) ** 2 * variances + t**2
        aside = x - (1 - t) * means
        with np.errstate(divide="ignore"):
            weights = np.log(seen if conditional else likely) - 0.5 * (aside**2 / spread).sum(1)
        weights = np.exp(weights - weights.max())
        data = weights @ (means + (1 - t) * variances / spread * aside) / weights.sum()
        return (x - data) / t

    return velocity


@dataclass(frozen=True)
class Run:
    """What one preset made of a seed: torch tensors on the CPU."""

    voxels: Any  # int32 (N, 4)
    latents: Any  # float32 (M, C), at the published settings' M voxels
    vertices: Any  # float32 (V, 3)
    triangles: Any  # int32 (T, 3)


def with_weights(normal_map: Path, seeds: Sequence[int]) -> None:
    """Prints how like the presets' voxels, latents and meshes are to those of the published settings."""
    import torch  # noqa: PLC0415

    print(f"{'preset':10} {'seed':>5} {'voxels IoU':>11} {'latents differ':>15} {'mesh F1':>8} {'Chamfer':>8}")
    with torch.inference_mode():
        generate = _generator(normal_map)
        for seed in seeds:
            published = generate(seed, "upstream", None)
            for name in PRESETS:
                made = generate(seed, name, published.voxels)
                f1, chamfer = likeness(made, published, seed)
                shared = overlap(made.voxels, published.voxels)
                differ = ((made.latents - published.latents).norm() / published.latents.norm()).item()
                print(f"{name:10} {seed:5} {shared:11.3f} {differ:15.1%} {f1:8.3f} {chamfer:8.4f}", flush=True)


def overlap(voxels: Any, others: Any) -> float:  # noqa: ANN401
    """The intersection over the union of two sets of voxels, int32 (N, 4) and (M, 4)."""
    ours, theirs = ({tuple(place) for place in some.tolist()} for some in (voxels, others))
    return len(ours & theirs) / max(1, len(ours | theirs))


def likeness(made: Run, published: Run, seed: int) -> tuple[float, float]:
    """F1 at `NEAR`, and the mean of both mean distances, of points drawn evenly on two surfaces."""
    import torch  # noqa: PLC0415

    generator = torch.Generator().manual_seed(seed)
    ours, theirs = (points_on(run.vertices, run.triangles, generator) for run in (made, published))
    there, back = nearest(ours, theirs), nearest(theirs, ours)
    precision, recall = ((distances < NEAR).float().mean().item() for distances in (there, back))
    return 2 * precision * recall / max(precision + recall, 1e-9), ((there.mean() + back.mean()) / 2).item()


def points_on(vertices: Any, triangles: Any, generator: Any) -> Any:  # noqa: ANN401
    """Points spread evenly over a surface: float32 (20000, 3)."""
    import torch  # noqa: PLC0415

    a, b, c = vertices[triangles.long()].unbind(1)
    areas = torch.linalg.cross(b - a, c - a).norm(dim=1)
    # torch.multinomial takes 2^24 triangles at most; sums and a search take any number.
    ends = areas.double().cumsum(0)
    chosen = torch.searchsorted(ends, torch.rand(_POINTS, generator=generator, dtype=torch.float64) * ends[-1])
    u, v = torch.rand(2, _POINTS, 1, generator=generator)
    u, v = torch.where(u + v > 1, 1 - u, u), torch.where(u + v > 1, 1 - v, v)
    a, b, c = (corner[chosen.clamp_max(len(areas) - 1)] for corner in (a, b, c))
    return a + u * (b - a) + v * (c - a)


def nearest(points: Any, others: Any) -> Any:  # noqa: ANN401
    """How far each of the `points` (P, 3) is from the nearest of the `others` (Q, 3): float32 (P,)."""
    import torch  # noqa: PLC0415

    return torch.cat([torch.cdist(some, others).amin(1) for some in points.split(1000)])


def _generator(normal_map: Path) -> Callable[[int, str, Any], Run]:
    """A function from a seed, a preset and the voxels to compare latents at (None: its own) to what comes out."""
    import torch  # noqa: PLC0415

    from backend.engines.hi3dgen.networks import networks, normalization  # noqa: PLC0415
    from backend.engines.hi3dgen.pictures import to_picture, to_pixels  # noqa: PLC0415
    from backend.files.pictures import read_picture  # noqa: PLC0415
    from backend.flow.products import NormalMap  # noqa: PLC0415
    from backend.models.image_tokens import image_tokens  # noqa: PLC0415
    from backend.models.latent_decoder import decode_surfaces  # noqa: PLC0415
    from backend.models.latent_flow import latent_noise, sample_latents  # noqa: PLC0415
    from backend.models.structure_decoder import occupied  # noqa: PLC0415
    from backend.models.structure_flow import sample_structure, structure_noise  # noqa: PLC0415
    from backend.nn.device import choose  # noqa: PLC0415
    from backend.nn.sparse import Voxels  # noqa: PLC0415

    compute = choose()
    parts: dict[str, Any] = {name: networks()[name].load() for name in _PARTS}
    for name, network in parts.items():
        if name != "tokenizer":
            network.compute_in(compute.dtype)
        network.to(compute.device)
    scaled = normalization()
    rgba = read_picture(normal_map).astype(np.float32)
    shown = NormalMap(rgba[..., :3] / np.float32(127.5) - 1, rgba[..., 3] / np.float32(255))
    tokens = image_tokens(parts["tokenizer"], to_pixels(to_picture(shown)).to(compute.device))

    def generate(seed: int, name: str, shared: Any) -> Run:  # noqa: ANN401
        preset, generator = PRESETS[name], torch.Generator().manual_seed(seed)
        flow = parts["structure flow"]
        noise = structure_noise(flow.config, [generator]).to(compute.device)
        drawn = generator.get_state()
        z = sample_structure(flow, tokens, noise, _no_report, preset.structure)
        voxels = Voxels(occupied(parts["structure decoder"](z)))

        def latents(at: Voxels) -> Any:  # noqa: ANN401
            flow = parts["latent flow"]
            noise = latent_noise(flow.config, at, [generator.set_state(drawn)]).to(compute.device)
            return sample_latents(
                flow, tokens, at, noise, normalization=scaled, report=_no_report, sampling=preset.latents
            )

        own = latents(voxels)
        surface = decode_surfaces(parts["latent decoder"], own, voxels, _no_report)[0]
        compared = own if shared is None else latents(Voxels(shared.to(compute.device)))
        return Run(*(found.cpu() for found in (voxels.coords, compared, surface.vertices, surface.triangles)))

    return generate


_PARTS = ("tokenizer", "structure flow", "structure decoder", "latent flow", "latent decoder")


def _no_report(step: int, of: int) -> None:
    """Ignores the progress."""
