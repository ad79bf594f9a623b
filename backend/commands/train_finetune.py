# SPDX-License-Identifier: GPL-3.0-or-later
"""`train finetune`: the published flow models learn on from meshes, and the engine `hi3dgen` gets what they learned."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from ..errors import UserError
from ..wire.limits import seed_from_text
from .arguments import at_least
from .trainings import check_training, minutes

_NEEDED = ("torch", "transformers", "safetensors", "PIL")
_WHAT = ("structure", "latents", "both")
_CONFIGS = ("published-bf16", "published", "tiny")
_STEPS = 2000


def configure(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Give `train` the command. add: makes its parser."""
    parser = add("finetune", help="let the published flow models learn on from a folder of meshes")
    parser.add_argument("meshes", type=Path, nargs="+", metavar="MESHES", help="folders with all below them, or files")
    parser.add_argument("--folder", type=Path, required=True, metavar="RUN", help="gets everything, to go on with")
    parser.add_argument("--what", choices=_WHAT, default="both", help="which flow models learn (default both)")
    parser.add_argument("--steps", type=at_least(1), default=_STEPS, metavar="N", help=f"of each (default {_STEPS})")
    parser.add_argument("--minutes", type=minutes, metavar="M", help="stop after so long; the next call goes on")
    parser.add_argument("--cost", action="store_true", help="say what it costs, and do nothing")
    parser.add_argument("--prepare-only", action="store_true", help="make the objects, and train nothing")
    parser.add_argument("--normals", action="store_true", help="let the normals of decoded latents count, too")
    parser.add_argument(
        "--config", choices=_CONFIGS, default=_CONFIGS[0], help=f"see docs/norld.md (default {_CONFIGS[0]})"
    )
    parser.add_argument(
        "--views", type=at_least(1), default=24, metavar="N", help="of each mesh's normals (default 24)"
    )
    parser.add_argument(
        "--feature-views", type=at_least(1), default=150, metavar="N", help="that latents are made of (default 150)"
    )
    parser.add_argument("--seed", type=seed_from_text, default=1, help="decides cameras, order, noise (default 1)")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Say what it costs, do what is not done yet, and print where the networks are.

    Returns 1 if a mesh could not be used, which costs the others nothing. Raises `UserError`.
    """
    check_training("hi3dgen", _NEEDED)
    from ..training.core.devices import devices  # noqa: PLC0415 - heavy, as all below
    from ..training.finetune.parts import CHOICES  # noqa: PLC0415
    from ..training.finetune.preparing import Choices, meshes_in  # noqa: PLC0415
    from ..training.finetune.published import Published, find_published  # noqa: PLC0415
    from ..training.finetune.run import Asked, bill, fine_tune  # noqa: PLC0415

    asked = Asked(
        meshes_in(options.meshes),
        options.folder,
        CHOICES[options.what],
        options.config,
        Choices(options.views, options.feature_views, options.seed),
        options.steps,
        options.minutes,
        options.normals,
        options.prepare_only,
        options.seed,
    )
    place = devices()
    say = partial(print, flush=True) if place.index == 0 else _silent
    found: Published | UserError
    try:
        found = find_published()
    except UserError as error:  # told after the cost, which says what the download is for
        found = error
    for line in bill(asked, None if isinstance(found, UserError) else found):
        say(line)
    if options.cost:
        return 0
    if isinstance(found, UserError):
        raise found
    outcome = fine_tune(asked, found, place, say)
    if outcome.left_out:
        say(f"{len(outcome.left_out)} of {len(asked.meshes)} meshes were left out: {', '.join(outcome.left_out)}")
    if outcome.weights:
        say(f"HI3DGEN_WEIGHTS={outcome.weights.resolve()}")
    elif not asked.prepare_only:
        say("The time is over: the same command goes on.")
    return 1 if outcome.left_out else 0


def _silent(_line: str) -> None:
    """What all processes but the first say."""
