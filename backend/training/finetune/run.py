# SPDX-License-Identifier: GPL-3.0-or-later
"""Fine-tuning from meshes to a folder of weights: what is asked for, what it costs, and all stages in their order.

RUN/objects holds what is learned from, RUN/structure-flow and RUN/latent-flow the trainings, RUN/weights the result.
Each stage leaves out what is done, so that the same call goes on where an earlier one ended, in whatever way.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import UserError
from ...models.image_tokens import SIDE
from ...models.latent_decoder import LatentDecoderConfig
from ...models.pipeline_file import normalization_of
from ...nn.checkpoint import described, read_config
from ...nn.device import device_name, memory_of, release
from ...safe_files import write_json
from ..core.devices import Devices
from ..norld.config import FlowConfig
from ..norld.normal_regularisation import load_decoder
from ..norld.objects import MOST_VOXELS, objects_of
from .cards import RESERVE, FlowBill, ObjectsBill, lines
from .cost import VOXELS, StepCost, step_cost, view_operations
from .learning import TRAINED, is_done, learn
from .parts import LATENTS, STRUCTURE, TINY, Part, fine_tuning, with_sizes_of
from .preparing import Choices, check_choices, largest, load_networks, prepare
from .published import Published
from .result import lay_out

Say = Callable[[str], None]

CONTEXT = 5 + (SIDE // 14) ** 2
"""Tokens of a picture: the class's, four registers, and the patches."""

_VIEWER = 1024, 24, CONTEXT  # channels, blocks and tokens of DINOv2 large
_CAMERA = 4 * (16 + 9)  # bytes of extrinsics and intrinsics
_DECODER = LatentDecoderConfig(64, 768, 8, 12, 12, representation_config={"use_color": True})  # the published one


@dataclass(frozen=True)
class Asked:
    """What is asked for. meshes: files by name. config: the name that both parts learn by. steps: of each part.

    minutes: after which it stops. normals: whether those of decoded latents count, too. prepare_only: no training.
    """

    meshes: Mapping[str, Path]
    folder: Path
    parts: Sequence[Part]
    config: str
    choices: Choices
    steps: int
    minutes: float | None = None
    normals: bool = False
    prepare_only: bool = False
    seed: int = 1

    @property
    def objects(self) -> Path:
        """The folder of what is learned from."""
        return self.folder / "objects"

    @property
    def weights(self) -> Path:
        """The folder of the result."""
        return self.folder / "weights"

    @property
    def with_latents(self) -> bool:
        """Whether objects need latents."""
        return LATENTS in self.parts

    def config_of(self, part: Part, published: Published | None) -> FlowConfig:
        """How a part learns, before its objects are known. Raises UserError if its description is damaged."""
        config = part.configs[self.config]
        return config if published is None else with_sizes_of(config, published.flow(part))


@dataclass(frozen=True)
class Outcome:
    """What came of it. left_out: names of meshes that could not be used. weights: the result, if all is done."""

    left_out: Sequence[str]
    weights: Path | None = None


def bill(asked: Asked, published: Published | None) -> Iterator[str]:
    """What it costs, by lines. Without `published` weights the published sizes are taken."""
    flows: list[FlowBill] = []
    for part in asked.parts:
        config = asked.config_of(part, published)
        of_voxels = partial(_cost, asked, part, config, published)
        flows.append(FlowBill(part.name, asked.steps, config.batch, of_voxels(VOXELS), of_voxels(MOST_VOXELS)))
    views = asked.choices.views
    feature_views = asked.choices.feature_views if asked.with_latents else 0
    sizes = asked.config_of(STRUCTURE, published).network
    size = views * (2 * CONTEXT * sizes.cond_channels + _CAMERA) + 4 * sizes.in_channels * sizes.resolution**3
    size += 3 * VOXELS
    if asked.with_latents:
        size += 4 * VOXELS * asked.config_of(LATENTS, published).network.in_channels
    operations = (views + feature_views) * view_operations(*_VIEWER)
    yield from lines(flows, ObjectsBill(len(asked.meshes), views, feature_views, operations, size))


def fine_tune(asked: Asked, published: Published, place: Devices, say: Say) -> Outcome:
    """Do all that is not done yet. Raises `UserError`."""
    started = time.monotonic()

    def left() -> float:
        """Minutes that are left."""
        return float("inf") if asked.minutes is None else asked.minutes - (time.monotonic() - started) / 60

    left_out: Sequence[str] = ()
    if place.count == 1:  # several processes train alone: one has prepared before
        left_out = _prepare(asked, published, place, left, say)
    if asked.prepare_only or not all(_learn(asked, part, published, place, left, say) for part in asked.parts):
        return Outcome(left_out)
    if place.index == 0:
        folders = {part: asked.folder / part.name for part in (STRUCTURE, LATENTS)}
        trained = {part: folder / TRAINED for part, folder in folders.items() if is_done(folder, 1)}
        try:
            lay_out(published, trained, asked.weights)
        except OSError as error:
            raise _not_made(asked.weights, error) from error
    return Outcome(left_out, asked.weights)


def _prepare(asked: Asked, published: Published, place: Devices, left: Callable[[], float], say: Say) -> Sequence[str]:
    """Make the objects, beside the latents' published scales; returns the names of meshes that could not be used."""
    try:
        asked.objects.mkdir(parents=True, exist_ok=True)
        check_choices(asked.objects, asked.choices, published)
        scales = normalization_of(published.geometry)
        write_json(asked.objects / "normalization.json", {"mean": scales.mean, "std": scales.std})
    except OSError as error:
        raise _not_made(asked.objects, error) from error
    return prepare(
        asked.meshes,
        asked.objects,
        partial(load_networks, published, place.device),
        asked.choices,
        latents=asked.with_latents,
        late=lambda: left() <= 0,
        say=say,
    )


def _learn(asked: Asked, part: Part, published: Published, place: Devices, left: Callable[[], float], say: Say) -> bool:
    """Let a flow model learn what it has not learned yet; returns whether all its steps are taken."""
    folder = asked.folder / part.name
    if place.agree(wish=is_done(folder, asked.steps)):
        return True
    if place.agree(wish=left() <= 0):
        return False
    config = asked.config_of(part, published)
    sizes = config.network
    objects = objects_of(asked.objects, sizes.in_channels, sizes.cond_channels, dense=part.dense)
    voxels = largest(asked.objects / f"{name}.safetensors" for name in objects.names)
    budget = _budget(part, _cost(asked, part, config, published, voxels), place)
    decoder = None
    if asked.normals and objects.normalization is not None:
        decoder = load_decoder(published.decoder, objects.normalization)
    minutes = None if asked.minutes is None else left()
    say(f"{part.name}: up to step {asked.steps}, in {folder}")
    done = learn(
        fine_tuning(config, len(objects.names), budget),
        objects,
        published.flow(part),
        folder,
        asked.steps,
        place,
        decoder=decoder,
        seed=asked.seed,
        minutes=minutes,
        say=say,
    )
    release(place.device)  # the next flow model needs all of it
    return done


def _cost(asked: Asked, part: Part, config: FlowConfig, published: Published | None, voxels: int) -> StepCost:
    """A step of a part with objects of so many voxels."""
    decoder = None
    if asked.normals and part is LATENTS:
        decoder = _DECODER
        if published is not None and asked.config == TINY:
            path = published.decoder.with_name(f"{published.decoder.name}.json")
            arguments = read_config(path, "SLatMeshDecoder")
            with described(path, "SLatMeshDecoder"):
                decoder = LatentDecoderConfig(**arguments)
    return step_cost(config, CONTEXT, voxels, decoder)


def _budget(part: Part, cost: StepCost, place: Devices) -> int | None:
    """Bytes that the blocks may keep on this device, None for all. Raises UserError if a step does not fit."""
    memory = memory_of(place.device) - RESERVE
    if cost.recomputed(memory) is None:
        needed, there = ((size + RESERVE) / 1e9 for size in (cost.most(cost.blocks), memory))
        sentence = (
            f"A step of the {part.name} takes {needed:.1f} GB, and {device_name(place.device)} has {there:.1f} GB."
        )
        raise UserError("out-of-memory", sentence, "Use a card that `--cost` shows to be large enough.")
    return cost.budget(memory)


def _not_made(folder: Path, error: OSError) -> UserError:
    return UserError(
        "bad-folder", f"The folder {folder} cannot be made: {error.strerror or error}.", "Choose another folder."
    )
