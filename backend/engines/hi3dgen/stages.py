# SPDX-License-Identifier: GPL-3.0-or-later
"""The stages of the hi3dgen engine: each brings its networks to the device and returns its result in numpy.

The noise of a seed is drawn as upstream draws it: one generator on the CPU, first for the structure, then for the
latents. Several seeds go through a network together, as many as the memory plan allows.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...around.stages import SIDES
from ...arrays import Float32Array
from ...errors import UserError
from ...flow.products import Cutout, Mesh, NormalMap, Noted, Picture, Report, Structure, noted
from ...flow.settings import Settings
from ...foreground import cut_out as by_background
from ...foreground.cut_out import is_opaque
from ...foreground.mask import mask_of as mask_of_cutout
from ...foreground.plausibility import doubts
from ...guided.networks import missing as views_missing
from ...models.birefnet import log_odds
from ...models.image_tokens import image_tokens
from ...models.latent_decoder import decode_surfaces
from ...models.latent_flow import latent_noise, latent_noise_by_place, sample_latents
from ...models.presets import PRESETS
from ...models.structure_decoder import occupied
from ...models.structure_flow import sample_structure, structure_noise
from ...nn.checks import require_finite
from ...nn.device import Compute, choose
from ...nn.memory_plan import MemoryPlan
from ...nn.runner import Runner
from ...nn.sparse import Voxels
from ...nn.watching import part
from ...weights import store
from ...weights.catalogue import FOREGROUND
from .cost import operations, sampling_of
from .foreground import SIDE, MaskOf, cut_out, cut_out_as_upstream, mask_by_birefnet
from .networks import networks, normalization
from .pictures import estimate, to_picture, to_pixels
from .pose import roll_of
from .to_mesh import to_mesh
from .unseen import draw


@dataclass(frozen=True)
class Latents:
    """What the surface is decoded from: float32 (N, C) at the N voxels of a structure."""

    values: Float32Array
    structure: Structure


@dataclass(frozen=True)
class _Sampled:
    """A structure's latents, on the CPU, and the state of the generator that drew their noise."""

    latents: Tensor
    randomness: NDArray[np.uint8]


X = TypeVar("X")
Y = TypeVar("Y")


class Stages:
    """The engine's stages, with the networks that they share. They belong to one thread."""

    def __init__(self) -> None:
        self._runner = Runner(networks(), store.revisions)

    def seconds(self, stage: str, settings: Settings, inputs: Collection[str]) -> float | None:
        """How many seconds a stage will about take for a request that brings `inputs`; None on a fast device."""
        pictures = 1 + len({*SIDES} & {*inputs})

        def needed() -> float:
            return 0.0 if stage == "unseen" and views_missing() else operations(stage, settings, pictures)

        return self._runner.seconds(needed, str(settings["precision"]))

    def place(self) -> str:
        """The device on which the engine computes, the precision, and the memory plan, as words."""
        return self._runner.place()

    def unload(self) -> None:
        """Gives back the device's memory and the computer's."""
        self._runner.unload()

    def cut_out(
        self, picture: Picture, *, upstream_preprocessing: bool, precision: str, report: Report
    ) -> Cutout | Noted:
        """The object, 1024 x 1024, by the picture's alpha, else by the network or the background's colour."""
        notes: list[str] = []
        mask_of = self._mask_of(precision, report, notes)
        if upstream_preprocessing:
            cutout = cut_out_as_upstream(picture, SIDE, mask_of, report)
            notes.extend(doubts(cutout.alpha > 0.5))
        elif store.missing([FOREGROUND]):
            cutout = by_background.cut_out(picture, SIDE, report, notes)
        else:
            cutout = cut_out(picture, SIDE, mask_of, report, notes)
        return noted(cutout, notes)

    def found(self, picture: Picture, *, precision: str, report: Report) -> Picture | Noted:
        """The picture with the network's mask as its alpha, if it has none of its own and the network is here."""
        notes: list[str] = []
        if is_opaque(picture) and not store.missing([FOREGROUND]):
            picture = np.dstack([picture[..., :3], self._mask_of(precision, report, notes)(picture[..., :3])])
        return noted(picture, notes)

    def cut_out_by_strokes(
        self, picture: Picture, strokes: Picture, *, upstream_preprocessing: bool, report: Report
    ) -> Cutout | Noted:
        """The object, 1024 x 1024, as an artist's strokes correct the picture's alpha or the background's colour."""
        notes: list[str] = []
        cutout = by_background.cut_out(picture, SIDE, report, notes, strokes)
        if upstream_preprocessing:
            masked = np.dstack([picture[..., :3], mask_of_cutout(cutout, max(picture.shape))])
            cutout = cut_out_as_upstream(masked, SIDE, lambda seen: np.full(seen.shape[:2], 255, np.uint8), report)
        return noted(cutout, notes)

    def _mask_of(self, precision: str, report: Report, notes: list[str]) -> MaskOf:
        """How the network finds a mask."""
        compute = choose(precision)

        def mask_of(colours: Picture) -> NDArray[np.uint8]:
            def work(network: Any, *_: object) -> NDArray[np.uint8]:  # noqa: ANN401
                def logits(pixels: Float32Array) -> Float32Array:
                    return log_odds(network, torch.from_numpy(pixels))[0, 0].numpy()

                return mask_by_birefnet(colours, logits)

            return self._runner.use("foreground", compute, work, report, notes, following="normals")

        return mask_of

    def estimate(self, cutout: Cutout, *, precision: str, report: Report) -> NormalMap | Noted:
        """The normal map of the cut-out."""
        compute = choose(precision)
        notes: list[str] = []

        def work(estimator: Any, _: MemoryPlan, report: Report) -> NormalMap:  # noqa: ANN401
            return replace(estimate(estimator, cutout, report, compute.device), crop=cutout.crop)

        return noted(self._runner.use("normals", compute, work, report, notes, following="tokenizer"), notes)

    def read(self, normal_map: NormalMap, *, precision: str, report: Report) -> Float32Array | Noted:
        """The normal map as image tokens, float32 (1, T, C)."""
        compute = choose(precision)
        notes: list[str] = []
        picture = to_picture(normal_map)

        def work(network: Any, *_: object) -> Float32Array:  # noqa: ANN401
            pixels = to_pixels(picture, network.config.image_size)
            return require_finite(image_tokens(network, pixels.to(compute.device)), "tokenizer").cpu().numpy()

        tokens = self._runner.use("tokenizer", compute, work, report, notes, following="structure flow")
        report(1, 1)
        return noted(tokens, notes)

    def structures(
        self,
        tokens: Sequence[Float32Array],
        *,
        seeds: Sequence[int],
        quality: str,
        structure_steps: int,
        structure_guidance: float,
        precision: str,
        report: Report,
        **sides: Sequence[Float32Array],
    ) -> list[Structure | Noted]:
        """The occupied voxels for each seed. Raises UserError "empty-structure" if a seed leads to none.

        tokens: of the picture. sides: of more pictures of the object.
        """
        compute = choose(precision)
        notes: list[str] = []
        seen, *more = _pictures(tokens, sides, compute)
        sampling = sampling_of(PRESETS[quality].structure, structure_steps, structure_guidance)

        def sample(flow: Any, batch: Sequence[int], _: MemoryPlan, report: Report) -> list[_Sampled]:  # noqa: ANN401
            generators = [torch.Generator().manual_seed(seed) for seed in batch]
            noise = structure_noise(flow.config, generators).to(compute.device)
            latents = sample_structure(flow, seen, noise, report, sampling, more).cpu()
            return [_Sampled(z, its.get_state().numpy()) for z, its in zip(latents, generators, strict=True)]

        @torch.inference_mode()
        def decode(decoder: Any, batch: Sequence[_Sampled], _plan: MemoryPlan, _report: Report) -> list[Structure]:  # noqa: ANN401
            logits = decoder(torch.stack([one.latents for one in batch]).to(compute.device))
            coords = occupied(require_finite(logits, "structure's decoder")).cpu().numpy()
            return [
                Structure(coords[coords[:, 0] == i, 1:], logits.shape[-1], one.randomness)
                for i, one in enumerate(batch)
            ]

        most, last = part(report, 0, 19, 20), part(report, 19, 20, 20)
        sampled = self._each("structure flow", compute, seeds, sample, most, notes, following="structure decoder")
        made = self._each("structure decoder", compute, sampled, decode, last, notes, following="latent flow")
        for structure, seed in zip(made, seeds, strict=True):
            if not len(structure.coords):
                sentence = f"The networks see no object with the seed {seed}."
                advice = "Try another seed, or a picture in which the object is larger and clearer."
                raise UserError("empty-structure", sentence, advice)
        return [noted(structure, notes) for structure in made]

    def latents(
        self,
        tokens: Sequence[Float32Array],
        structures: Sequence[Structure],
        *,
        quality: str,
        latent_steps: int,
        latent_guidance: float,
        steady_noise: bool,
        precision: str,
        report: Report,
        **sides: Sequence[Float32Array],
    ) -> list[Latents | Noted]:
        """The latents at each voxel, for each structure. tokens: of the picture. sides: of more pictures."""
        compute = choose(precision)
        notes: list[str] = []
        seen, *more = _pictures(tokens, sides, compute)
        sampling = sampling_of(PRESETS[quality].latents, latent_steps, latent_guidance)
        scaled = normalization()
        draw = latent_noise_by_place if steady_noise else latent_noise

        def sample(flow: Any, batch: Sequence[Structure], plan: MemoryPlan, report: Report) -> list[Latents]:  # noqa: ANN401
            voxels = _voxels(batch, plan, compute)
            noise = draw(flow.config, voxels, [_going_on(structure) for structure in batch]).to(compute.device)
            values = sample_latents(
                flow, seen, voxels, noise, normalization=scaled, report=report, sampling=sampling, more=more
            )
            each = values.cpu().split(voxels.lengths)
            return [Latents(its.numpy(), one) for its, one in zip(each, batch, strict=True)]

        size = _largest(structures)
        following = "latent decoder"
        made = self._each("latent flow", compute, structures, sample, report, notes, following=following, voxels=size)
        return [noted(latents, notes) for latents in made]

    def meshes(
        self,
        latents: Sequence[Latents],
        cutouts: Sequence[Cutout],
        normal_maps: Sequence[NormalMap],
        *,
        solid: bool,
        whole: bool,
        precision: str,
        report: Report,
    ) -> list[Mesh | Noted]:
        """The surface for each object's latents, with the cut-out projected onto it from the pose of the normal map."""
        compute = choose(precision)
        notes: list[str] = []
        roll = roll_of(normal_maps[0], partial(report, 0, 1))

        def decode(decoder: Any, batch: Sequence[Latents], plan: MemoryPlan, report: Report) -> list[Mesh]:  # noqa: ANN401
            voxels = _voxels([one.structure for one in batch], plan, compute)
            values = torch.from_numpy(np.concatenate([one.values for one in batch])).to(compute.device)
            decoded = part(report, 0, 3, 4)
            surfaces = decode_surfaces(decoder, values, voxels, decoded, solid=solid, whole=whole)
            meshes: list[Mesh] = []
            for surface in surfaces:
                report(3 * len(batch) + len(meshes), 4 * len(batch))
                meshes.append(to_mesh(surface, cutouts[0], normal_maps[0], roll))
            return meshes

        size = _largest(one.structure for one in latents)
        made = self._each("latent decoder", compute, latents, decode, report, notes, following="", voxels=size)
        return [noted(mesh, notes) for mesh in made]

    def draw(self, mesh: Mesh, cutout: Cutout, **settings: Any) -> Mesh | Noted:  # noqa: ANN401  see `unseen`
        """The mesh with the sides that the picture does not show drawn, if the settings say so; see `unseen.draw`."""
        return draw(mesh, cutout, self._runner.pool, **settings)

    def _each(
        self,
        name: str,
        compute: Compute,
        items: Sequence[X],
        work: Callable[[Any, Sequence[X], MemoryPlan, Report], list[Y]],
        report: Report,
        notes: list[str],
        *,
        following: str,
        voxels: int = 0,
    ) -> list[Y]:
        """The results of `work` for all items with the network `name`, as many at once as the plan allows."""
        made: list[Y] = []
        while len(made) < len(items):
            left = items[len(made) :]

            def batch(network: Any, plan: MemoryPlan, report: Report, left: Sequence[X] = left) -> list[Y]:  # noqa: ANN401
                share = left[: plan.together]
                return work(network, share, plan, part(report, 0, len(share), len(left)))

            rest = part(report, len(made), len(items), len(items))
            made += self._runner.use(name, compute, batch, rest, notes, following=following, voxels=voxels)
        report(1, 1)
        return made


def _pictures(
    tokens: Sequence[Float32Array], sides: Mapping[str, Sequence[Float32Array]], compute: Compute
) -> list[Tensor]:
    """The tokens of the picture and of more pictures, on the device; every seed sees the same."""
    return [torch.from_numpy(each[0]).to(compute.device) for each in (tokens, *sides.values())]


def _largest(structures: Iterable[Structure]) -> int:
    """The number of voxels of the largest structure."""
    return max(len(structure.coords) for structure in structures)


def _voxels(structures: Sequence[Structure], plan: MemoryPlan, compute: Compute) -> Voxels:
    rows = [np.insert(structure.coords, 0, i, axis=1) for i, structure in enumerate(structures)]
    coords = torch.from_numpy(np.concatenate(rows)).to(compute.device)
    return Voxels(coords, len(structures), plan.gathered)


def _going_on(structure: Structure) -> torch.Generator:
    """The generator that drew the structure's noise, in the state after that."""
    generator = torch.Generator()
    generator.set_state(torch.from_numpy(structure.randomness))
    return generator
