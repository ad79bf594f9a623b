# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate shapes`: what a small NoRLD makes of held-out made-up shapes, beside the draft engine's body.

The networks are sampled by the stages of the engine `hi3dgen`, which finds them where HI3DGEN_WEIGHTS says.
"""

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..files.pictures import write_picture
from ..flow.products import Mesh, NormalMap, Noted, Picture
from ..wire.limits import seed_from_text
from .evaluate_sheet import check_sheet
from .trainings import at_least, check_training

if TYPE_CHECKING:
    from ..training.geometry.evaluation import Score

_NEEDED = ("torch", "numba", "safetensors", "transformers", "PIL")
_PANELS = 7  # of a row of the sheet
_HEADS = ("chamfer", "f02", "f05", "normals", "volume", "side90", "top", "front", "back", "extent")


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command its arguments."""
    parser.add_argument("--count", type=at_least(1), default=8, metavar="N", help="shapes to measure (default 8)")
    parser.add_argument("--first", type=at_least(0), default=0, metavar="N", help="the first one's number (default 0)")
    parser.add_argument("--seed", type=seed_from_text, default=1, help="of the noise (default 1)")
    parser.add_argument("--steps", type=at_least(1), default=25, metavar="N", help="of both flow models (default 25)")
    parser.add_argument("--guidance", type=float, default=3.0, metavar="G", help="of both flow models (default 3)")
    parser.add_argument("--estimated", action="store_true", help="give estimated normals in place of the true ones")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write normal maps, truths and meshes here")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Measure each shape's meshes and print a line each, then write the sheet. Raises `UserError`."""
    check_training("hi3dgen", _NEEDED)
    from ..engines.draft.geometry import build  # noqa: PLC0415 - heavy, as all below
    from ..engines.hi3dgen.stages import Stages  # noqa: PLC0415
    from ..training.core.task import HELD_OUT_SEED  # noqa: PLC0415
    from ..training.geometry import comparison, evaluation  # noqa: PLC0415
    from ..training.small import truth  # noqa: PLC0415
    from ..training.small.objects import drawn  # noqa: PLC0415

    if options.sheet:
        check_sheet(options.sheet, [], options.count, comparison.PANEL)
    stages = Stages()
    scores: dict[str, dict[str, Score]] = {"small": {}, "draft": {}}
    rows: list[Picture] = []
    for index in range(options.first, options.first + options.count):
        made = drawn(HELD_OUT_SEED, index)
        name = f"test-{index:06}"
        true = truth.pictured(made.seen, name)
        normal_map = truth.normal_map_of(made.seen, made.random if options.estimated else None)
        surfaces = [true.surface]
        for kind, mesh in (
            ("small", _sampled(stages, normal_map, options)),
            ("draft", _plain(build(normal_map, 0, _silent, upright=False))),
        ):
            scores[kind][name], surface = evaluation.judge(true, mesh)
            surfaces.append(surface)
            if not options.json:
                print(_line(f"{name} {kind}", scores[kind][name]), flush=True)
        rows.append(_row(normal_map, surfaces))
    means = {kind: evaluation.mean(found.values()) for kind, found in scores.items()}
    if options.json:
        numbers = {kind: {**found, "mean": means[kind]} for kind, found in scores.items()}
        print(json.dumps({k: {name: s._asdict() for name, s in each.items()} for k, each in numbers.items()}, indent=2))
    else:
        print(f"{'':20}" + "".join(f"{head:>9}" for head in _HEADS))
        print(*(_line(f"mean {kind}", mean) for kind, mean in means.items()), sep="\n")
    if options.sheet:
        write_picture(options.sheet, np.concatenate(rows))
    return 0


def _sampled(stages: Any, normal_map: NormalMap, options: argparse.Namespace) -> Mesh:  # noqa: ANN401  heavy to import
    """The mesh that the engine's stages make of a normal map."""
    from ..training.small.truth import cutout_of  # noqa: PLC0415 - not in the extension's zip

    used = {"precision": "auto", "report": _silent}
    flows = {**used, "quality": "upstream"}
    steps, guidance = options.steps, options.guidance
    tokens = [_plain(stages.read(normal_map, **used))]
    structures = stages.structures(
        tokens, seeds=[options.seed], structure_steps=steps, structure_guidance=guidance, **flows
    )
    structures = [_plain(each) for each in structures]
    latents = stages.latents(
        tokens, structures, latent_steps=steps, latent_guidance=guidance, steady_noise=False, **flows
    )
    latents = [_plain(each) for each in latents]
    return _plain(stages.meshes(latents, [cutout_of(normal_map)], [normal_map], solid=True, whole=True, **used)[0])


def _plain(result: Any) -> Any:  # noqa: ANN401  any product
    """A product without its notes."""
    return result.product if isinstance(result, Noted) else result


def _silent(step: int, of: int) -> None:
    """Ignores the progress."""


def _row(normal_map: NormalMap, surfaces: list[Any]) -> Picture:
    """The normal map, then the truth, the small NoRLD's mesh and the draft's from the front, then from the side."""
    from ..raster.resample import crop_resize  # noqa: PLC0415
    from ..training.geometry.comparison import PANEL, drawn  # noqa: PLC0415
    from ..training.geometry.silhouettes import seen_from  # noqa: PLC0415
    from ..training.small.structures import over_white  # noqa: PLC0415
    from ..training.small.truth import coloured  # noqa: PLC0415

    picture = coloured(normal_map.normals, normal_map.alpha)
    shown = over_white(crop_resize(picture, 0, 0, len(picture), PANEL, fill=0))
    views = [drawn(seen_from(surface, angle)) for surface in surfaces for angle in (0, 90, 180)]
    return np.concatenate([shown, *views], axis=1)


def _line(name: str, score: "Score") -> str:
    return f"{name:20}" + "".join(f"{getattr(score, head):9.3f}" for head in _HEADS)
