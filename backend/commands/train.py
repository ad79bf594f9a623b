# SPDX-License-Identifier: GPL-3.0-or-later
"""`train normals`, `geometry`, `cutouts`: the small networks learn from shapes that the project makes itself.

`train structure-flow`, `latent-flow`: the published flow models learn from a folder of latents. `train prepare-objects`
makes such a folder from meshes, as far as the structures' flow model needs it; `train finetune` does all of it at once.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UserError
from ..files.pictures import check_picture_path, read_picture, write_picture
from ..wire.limits import seed_from_text
from . import train_finetune, train_small
from .arguments import at_least
from .executors import add_executor, check_executor
from .train_data import entry, make_missing
from .trainings import between, check_training, config_named, minutes

if TYPE_CHECKING:
    from ..training.norld.config import FlowConfig
    from ..training.normals.samples import Source

_NEEDED = ("torch", "numba")
_FLOWS_NEED = ("torch", "safetensors")
_OBJECTS_NEED = ("torch", "transformers", "safetensors", "PIL")
_WHOLE = (".glb", ".ply", ".stl")  # nodes of a cluster are sent these; others may need files beside them
_MOST_MEMORY = 1e6  # GB
_MOST_SHOWN = 32 * 1024**2  # pixels of a sheet's pictures


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    normals = kinds.add_parser("normals", help="train the normal estimator")
    _configure_training(normals, "tiny, draft, draft-gpu or full", ("trunk", "cool", "refine"), "docs/normals.md")
    normals.add_argument(
        "--pictures", type=Path, metavar="FOLDER", help="learn from these: images, mask, normals, files of one name"
    )
    normals.set_defaults(run=run)
    geometry = kinds.add_parser("geometry", help="train the network that sees front and back behind a normal map")
    _configure_training(geometry, "tiny, draft or ablation", ("trunk", "cool"), "docs/geometry.md")
    geometry.set_defaults(run=run_geometry)
    cutouts = kinds.add_parser("cutouts", help="train the network that tells an object from what is behind it")
    _configure_training(cutouts, "tiny or draft", ("trunk", "cool"), "docs/cutouts.md")
    cutouts.set_defaults(run=run_cutouts)
    structure = kinds.add_parser("structure-flow", help="train the flow model of sparse structures")
    _configure_flow(structure)
    structure.set_defaults(run=run_structure_flow)
    latents = kinds.add_parser(
        "latent-flow", help="train the flow model of latents, also by the normals that they give"
    )
    _configure_flow(latents)
    latents.add_argument(
        "--decoder", type=Path, metavar="STEM", help="of STEM.json and STEM.safetensors: let the normals count, too"
    )
    _configure_normals(latents)
    latents.set_defaults(run=run_latent_flow)
    objects = kinds.add_parser("prepare-objects", help="make objects for structure-flow from meshes")
    objects.add_argument("meshes", type=Path, nargs="+", metavar="MESH", help="glb, gltf, obj, ply or stl")
    objects.add_argument("--objects", type=Path, required=True, metavar="FOLDER", help="gets NAME.safetensors of each")
    objects.add_argument(
        "--encoder", type=Path, required=True, metavar="STEM", help="of STEM.json and STEM.safetensors, published"
    )
    objects.add_argument("--tokenizer", type=Path, metavar="FOLDER", help="of DINOv2, in place of the engine's own")
    objects.add_argument("--views", type=at_least(1), default=24, metavar="N", help="of each mesh (default 24)")
    objects.add_argument("--seed", type=seed_from_text, default=1, help="decides the cameras (default 1)")
    add_executor(objects)
    objects.set_defaults(run=run_prepare_objects)
    train_finetune.configure(kinds.add_parser)
    train_small.configure(kinds.add_parser)
    sheet = kinds.add_parser("sheet", help="write a sheet of the pictures that the normal estimator learns from")
    sheet.add_argument("--seed", type=seed_from_text, default=1, help="decides shapes and pictures (default 1)")
    sheet.add_argument("--count", type=int, default=24, metavar="N", help="how many pictures (default 24)")
    sheet.add_argument("--size", type=int, default=192, metavar="PIXELS", help="each picture's side (default 192)")
    sheet.add_argument("-o", "--output", type=Path, required=True, metavar="PICTURE", help="written here")
    sheet.set_defaults(run=show)


def _configure_training(parser: argparse.ArgumentParser, configs: str, stages: Sequence[str], described: str) -> None:
    """Give a training's command the arguments that all have."""
    parser.add_argument("--config", required=True, metavar="NAME", help=configs)
    parser.add_argument("--folder", type=Path, required=True, metavar="F", help="checkpoints and curves, to go on with")
    parser.add_argument(
        "--start",
        type=Path,
        metavar="WEIGHTS",
        help="begin with these: the .npz of an earlier training; for full a folder",
    )
    parser.add_argument("--stage", choices=stages, default="trunk", help=f"see {described}")
    parser.add_argument("--data-seed", type=seed_from_text, default=1, help="decides shapes, pictures, first weights")
    parser.add_argument("--minutes", type=minutes, metavar="M", help="stop after so long; the next call goes on")
    parser.add_argument("--steps", type=at_least(1), metavar="N", help="in place of the stage's own number of steps")
    parser.add_argument(
        "--workers",
        type=at_least(0),
        default=1,
        metavar="N",
        help="processes that make data, each of its own shapes (default 1)",
    )


def _configure_flow(parser: argparse.ArgumentParser) -> None:
    """Give the training of a published flow model its arguments."""
    parser.add_argument("--config", required=True, metavar="NAME", help="tiny, small, published or published-bf16")
    parser.add_argument("--objects", type=Path, required=True, metavar="FOLDER", help="see docs/norld.md")
    parser.add_argument("--folder", type=Path, required=True, metavar="F", help="checkpoint and curve, to go on with")
    parser.add_argument("--start", type=Path, metavar="STEM", help="begin with STEM.json and STEM.safetensors")
    parser.add_argument("--stage", choices=("trunk", "cool"), default="trunk", help="only small is cooled")
    parser.add_argument("--data-seed", type=seed_from_text, default=1, help="decides order, noise, first weights")
    parser.add_argument("--minutes", type=minutes, metavar="M", help="stop after so long; the next call goes on")
    parser.add_argument("--steps", type=at_least(1), metavar="N", help="stop at this step; the next call goes on")
    parser.add_argument(
        "--memory",
        type=between(0, _MOST_MEMORY),
        metavar="GB",
        help="that the transformer's blocks keep for their gradients at most, in place of the configuration's own; "
        "others are computed again",
    )


def _configure_normals(parser: argparse.ArgumentParser) -> None:
    """Give the training of the latents' flow model what says how normals count, each None for the configuration's."""
    normals = parser.add_argument_group("how the normals count, with --decoder", "see docs/norld.md")
    normals.add_argument(
        "--normals-share", type=between(0, 100), metavar="X", help="of the flow's gradient that theirs has"
    )
    normals.add_argument("--normals-latest", type=between(0.01, 1), metavar="T", help="the latest time that counts")
    normals.add_argument(
        "--normals-every", type=at_least(1), metavar="N", help="each so many-th step evaluates one object more for them"
    )
    normals.add_argument("--normals-size", type=at_least(16), metavar="PIXELS", help="along a view's side")
    normals.add_argument(
        "--normals-other-view", type=between(0, 1), metavar="X", help="how often another view is looked at, too"
    )


def run(options: argparse.Namespace) -> int:
    """Train for as long as is asked for, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _NEEDED)
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.normals.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.normals.folder import Pictures, names  # noqa: PLC0415 - heavy
    from ..training.normals.task import NormalsTask  # noqa: PLC0415 - heavy
    from ..training.shapes import sample_block  # noqa: PLC0415 - heavy

    config = config_named(CONFIGS, options.config)
    source: Source = partial(sample_block, pictures=config.block)
    if options.pictures:
        check_training("training", ("PIL",))
        source = Pictures(options.pictures, names(options.pictures), read_picture, config.block)
    measured = partial(sample_block, pictures=1)
    task = NormalsTask(config, source, measured, options.data_seed, options.workers, options.start)
    run = Run(task, options.folder, options.stage, options.minutes, options.steps)
    print(train(run, partial(print, flush=True)))
    return 0


def run_geometry(options: argparse.Namespace) -> int:
    """Train the sheet network, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _NEEDED)
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.geometry.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.geometry.task import GeometryTask, maker  # noqa: PLC0415 - heavy

    config = config_named(CONFIGS, options.config)
    task = GeometryTask(config, maker(config), options.data_seed, options.workers, options.start)
    print(train(Run(task, options.folder, options.stage, options.minutes, options.steps), partial(print, flush=True)))
    return 0


def run_cutouts(options: argparse.Namespace) -> int:
    """Train the cut-out network, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _NEEDED)
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.cutouts.config import CONFIGS  # noqa: PLC0415 - heavy
    from ..training.cutouts.task import CutoutTask, maker  # noqa: PLC0415 - heavy

    config = config_named(CONFIGS, options.config)
    sources = maker(config, config.pictures), maker(config, 1)
    task = CutoutTask(config, *sources, options.data_seed, options.workers, options.start)
    print(train(Run(task, options.folder, options.stage, options.minutes, options.steps), partial(print, flush=True)))
    return 0


def run_structure_flow(options: argparse.Namespace) -> int:
    """Train the structures' flow model, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _FLOWS_NEED)
    from ..training.norld.config import STRUCTURE_CONFIGS  # noqa: PLC0415 - heavy

    return _run_flow(options, config_named(STRUCTURE_CONFIGS, options.config), None)


def run_latent_flow(options: argparse.Namespace) -> int:
    """Train the latents' flow model, and print the checkpoint's path. Raises `UserError`."""
    check_training("training", _FLOWS_NEED)
    from ..training.norld.config import LATENT_CONFIGS  # noqa: PLC0415 - heavy

    config = config_named(LATENT_CONFIGS, options.config)
    names = ("share", "latest", "every", "size", "other_view")
    given = {name: value for name in names if (value := getattr(options, f"normals_{name}")) is not None}
    if given and options.decoder is None:
        raise UserError(
            "no-decoder", "Normals count only with a decoder.", "Add --decoder STEM, or leave --normals out."
        )
    config = replace(config, regularisation=replace(config.regularisation, **given))
    return _run_flow(options, config, options.decoder)


def _run_flow(options: argparse.Namespace, config: "FlowConfig", decoder: Path | None) -> int:
    from ..models.structure_flow import StructureFlowConfig  # noqa: PLC0415 - heavy
    from ..nn.checkpoint import given_by  # noqa: PLC0415 - heavy
    from ..training.core.loop import Run, train  # noqa: PLC0415 - heavy
    from ..training.norld.normal_regularisation import load_decoder  # noqa: PLC0415 - heavy
    from ..training.norld.objects import objects_of  # noqa: PLC0415 - heavy
    from ..training.norld.task import FlowTask  # noqa: PLC0415 - heavy

    if options.memory is not None:
        config = replace(config, budget=int(options.memory * 1e9))
    sizes = config.network
    dense = isinstance(sizes, StructureFlowConfig)
    objects = objects_of(options.objects, sizes.in_channels, sizes.cond_channels, dense=dense)
    frozen = None
    if decoder is not None and objects.normalization is not None:
        with given_by("--decoder"):
            frozen = load_decoder(decoder, objects.normalization)
    task = FlowTask(config, objects, options.data_seed, frozen, options.start)
    run = Run(task, options.folder, options.stage, options.minutes, options.steps, config.settings)
    with given_by("--start"):
        print(train(run, partial(print, flush=True)))
    return 0


def run_prepare_objects(options: argparse.Namespace) -> int:
    """Make an object of each mesh that has none yet; 0 if all have one then. Raises `UserError`.

    A mesh that cannot be used costs only itself.
    """
    check_training("hi3dgen", _OBJECTS_NEED)
    check_executor(options)
    from ..weights import store  # noqa: PLC0415
    from ..weights.catalogue import CONDITIONER  # noqa: PLC0415

    files = {mesh.stem: mesh for mesh in options.meshes}
    if len(files) < len(options.meshes):
        raise UserError("same-name", "Two of the meshes have the same name.", "Rename one of them.")
    tokenizer = options.tokenizer or store.find(CONDITIONER)
    shared = {
        "views": options.views,
        "encoder": str(options.encoder.absolute()),
        "tokenizer": str(tokenizer.absolute()),
    }
    wanted = [
        entry(name, {"mesh": mesh}, options.seed, **shared)
        if mesh.suffix.lower() in _WHOLE
        else entry(name, {}, options.seed, mesh=str(mesh.absolute()), **shared)
        for name, mesh in files.items()
    ]
    return 0 if make_missing("meshes", options.objects, wanted, options, networks=True) else 1


def show(options: argparse.Namespace) -> int:
    """Write a sheet of the pictures that training sees. Raises `UserError`."""
    check_training("training", ("numba", "PIL"))
    from ..training.shapes import contact_sheet  # noqa: PLC0415 - compiles

    if options.count < 1 or not 16 <= options.size <= 1024 or options.count * options.size**2 > _MOST_SHOWN:
        raise UserError(
            "sheet-size",
            f"A sheet of {options.count} pictures of {options.size} pixels cannot be made.",
            "Ask for at least one picture of 16 to 1024 pixels, and for fewer or smaller ones.",
        )
    check_picture_path(options.output)
    write_picture(options.output, contact_sheet(options.seed, options.count, options.size))
    print(options.output)
    return 0
