# SPDX-License-Identifier: GPL-3.0-or-later
"""What `train` has for a small NoRLD, beside both flow models: objects of made-up shapes, the networks around, the end.

`prepare-shapes`, then `shape-tokens`, `structure-autoencoder` and `latent-autoencoder`, then `encode-shapes`; and after
the flow models `gather-networks`.
"""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..safe_files import write_json
from ..wire.limits import seed_from_text
from .arguments import at_least
from .executors import add_executor, check_executor
from .train_data import entry, make_missing
from .trainings import check_training, config_named, minutes

if TYPE_CHECKING:
    from ..training.small.config import Config, Training
    from ..training.small.task import Part

_NEEDED = ("torch", "numba", "safetensors")
_TOKENS_NEED = ("transformers",)
_SPREAD = 64  # objects from which the scale of structures is found


def configure(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Give `train` the commands of a small NoRLD. add: makes the parser of a command."""
    shapes = add("prepare-shapes", help="make objects of made-up shapes for a small NoRLD")
    shapes.add_argument("--objects", type=Path, required=True, metavar="FOLDER", help="gets a file of each")
    shapes.add_argument("--count", type=at_least(1), required=True, metavar="N", help="objects to learn from")
    shapes.add_argument("--held-out", type=at_least(0), default=64, metavar="N", help="and to measure (default 64)")
    shapes.add_argument("--seed", type=seed_from_text, default=1, help="decides the shapes (default 1)")
    add_executor(shapes)
    shapes.set_defaults(run=run_prepare_shapes)
    for part, what in (
        ("shape-tokens", "what reads normal maps for a small NoRLD"),
        ("structure-autoencoder", "the autoencoder of small structures"),
        ("latent-autoencoder", "the autoencoder of small structured latents"),
    ):
        parser = add(part, help=f"train {what}")
        parser.add_argument("--config", required=True, metavar="NAME", help="tiny or small")
        parser.add_argument("--objects", type=Path, required=True, metavar="FOLDER", help="of prepare-shapes")
        parser.add_argument(
            "--folder", type=Path, required=True, metavar="F", help="checkpoint and curve, to go on with"
        )
        parser.add_argument("--stage", choices=("trunk", "cool"), default="trunk", help="see docs/norld.md")
        parser.add_argument("--data-seed", type=seed_from_text, default=1, help="decides order, noise, first weights")
        parser.add_argument("--minutes", type=minutes, metavar="M", help="stop after so long; the next call goes on")
        parser.add_argument(
            "--steps", type=at_least(1), metavar="N", help="in place of the stage's own number of steps"
        )
        parser.set_defaults(run=partial(run_part, part=part))
    encode = add("encode-shapes", help="make objects for structure-flow and latent-flow from such shapes")
    encode.add_argument("--objects", type=Path, required=True, metavar="FOLDER", help="of prepare-shapes")
    encode.add_argument("--networks", type=Path, required=True, metavar="F", help="with the folders of their trainings")
    encode.add_argument("--encoded", type=Path, required=True, metavar="FOLDER", help="gets a file of each")
    encode.add_argument("--count", type=at_least(1), metavar="N", help="objects to learn from (default all)")
    encode.add_argument("--surfaces", action="store_true", help="with true surfaces, for latent-flow's --decoder")
    add_executor(encode)
    encode.set_defaults(run=run_encode_shapes)
    gather = add("gather-networks", help="put a small NoRLD where the engine hi3dgen finds it")
    gather.add_argument("--networks", type=Path, required=True, metavar="F", help="with the folders of their trainings")
    gather.add_argument("--encoded", type=Path, required=True, metavar="FOLDER", help="of encode-shapes")
    gather.add_argument("--weights", type=Path, required=True, metavar="FOLDER", help="for HI3DGEN_WEIGHTS")
    gather.set_defaults(run=run_gather_networks)


def run_prepare_shapes(options: argparse.Namespace) -> int:
    """Make the objects that are not there yet; 0 if all are. Raises `UserError`."""
    check_training("training", _NEEDED)
    check_executor(options)
    from ..training.core.task import HELD_OUT_SEED  # noqa: PLC0415 - heavy
    from ..training.small.objects import name_of  # noqa: PLC0415 - heavy

    wanted = [
        entry(name_of(seed, number), {}, seed, number=number)
        for seed, count in ((HELD_OUT_SEED, options.held_out), (options.seed, options.count))
        for number in range(count)
    ]
    return 0 if make_missing("shapes", options.objects, wanted, options) else 1


def run_part(options: argparse.Namespace, part: str) -> int:
    """Train one of the networks around the flow models, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _NEEDED)
    if part == "shape-tokens":
        check_training("hi3dgen", _TOKENS_NEED)
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.small.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.small.task import SmallTask  # noqa: PLC0415 - heavy

    config = config_named(CONFIGS, options.config)
    network, training = _part(part, config)
    task = SmallTask(config.name, network, training, options.objects, options.data_seed)
    print(train(Run(task, options.folder, options.stage, options.minutes, options.steps), partial(print, flush=True)))
    return 0


def run_encode_shapes(options: argparse.Namespace) -> int:
    """Encode the objects that are not encoded yet, and their mirror images; 0 if all are then. Raises `UserError`.

    The scales are found once: flow models that have begun to learn keep them when more objects come.
    """
    check_training("training", _NEEDED)
    check_training("hi3dgen", _TOKENS_NEED)
    check_executor(options)
    import torch  # noqa: PLC0415 - heavy, as all below

    from ..training.small.encoding import load_encoders, normalization_of, spread  # noqa: PLC0415
    from ..training.small.gathering import NORMALIZATION, SCALE, numbers  # noqa: PLC0415
    from ..training.small.objects import is_held_out, read  # noqa: PLC0415

    torch.set_num_threads(1)
    options.encoded.mkdir(parents=True, exist_ok=True)
    sources = sorted(options.objects.glob("*.safetensors"))
    held_out = [source for source in sources if is_held_out(source.stem)]
    learned = [source for source in sources if not is_held_out(source.stem)][: options.count]
    if not learned:
        sentence = f"There is no object to learn from in “{options.objects}”."
        raise UserError("other-object", sentence, "Run `train prepare-shapes` first.")
    scale = options.encoded / SCALE
    if not scale.exists():
        write_json(scale, {"scale": spread([*map(read, learned[:_SPREAD])], load_encoders(options.networks))})
    shared = {"networks": str(options.networks.absolute()), "surfaces": options.surfaces, **numbers(scale, "scale")}
    wanted = [
        entry(source.stem, {"object": source}, 0, mirror=not is_held_out(source.stem), **shared)
        for source in (*held_out, *learned)
    ]
    if not make_missing("encoded", options.encoded, wanted, options):
        return 1
    scales = options.encoded / NORMALIZATION
    if not scales.exists():
        found = normalization_of(options.encoded / source.name for source in learned)
        write_json(scales, {"mean": found.mean, "std": found.std})
    print(scales)
    return 0


def run_gather_networks(options: argparse.Namespace) -> int:
    """Copy the trained networks, and print where they are. Raises `UserError`."""
    check_training("training", _NEEDED)
    from ..training.small.gathering import gather  # noqa: PLC0415 - not in the extension's zip

    gather(options.networks, options.encoded, options.weights)
    print(options.weights)
    return 0


def _part(name: str, config: "Config") -> "tuple[Part, Training]":
    """One of the networks, and how it is trained."""
    if name == "shape-tokens":
        from ..training.small.tokens import Tokens  # noqa: PLC0415 - heavy

        return Tokens(config.tokens), config.token_training
    if name == "structure-autoencoder":
        from ..training.small.structures import Structures  # noqa: PLC0415 - heavy

        return Structures(config.structures), config.structure_training
    from ..training.small.latents import Latents  # noqa: PLC0415 - heavy

    return Latents(config.latents), config.latent_training
