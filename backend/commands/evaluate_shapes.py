# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate shapes`: what a small NoRLD makes of held-out made-up shapes, beside the draft engine's body.

The networks are sampled by the stages of the engine `hi3dgen`, which finds them where HI3DGEN_WEIGHTS says.
"""

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UserError
from ..files.pictures import write_picture
from ..flow.engine import Engine
from ..flow.products import Mesh, NormalMap, Picture, unwrapped
from ..flow.settings import Settings, checked
from ..wire.limits import seed_from_text
from .arguments import at_least
from .evaluate_sheet import check_sheet
from .trainings import check_training

if TYPE_CHECKING:
    from ..training.geometry.evaluation import Score
    from ..training.geometry.triangles import Triangles

_SHAPES_NEED = ("torch", "numba", "safetensors")
_ENGINE_NEEDS = ("transformers", "PIL")
_NOTHING = ("empty-structure", "empty-mesh")  # errors of networks that have learned too little
_HEADS = (
    *("chamfer", "f01", "f02", "f05", "normals", "sharp", "volume"),
    *("side90", "top", "front", "back", "extent"),
)
_ANGLES = (0, 90, 180)  # from which the sheet shows a surface
_STAGES = {"hi3dgen": ("tokens", "structure", "latents", "geometry"), "draft": ("geometry",)}  # from a normal map on


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    parser.add_argument("--count", type=at_least(1), default=8, metavar="N", help="shapes to measure (default 8)")
    parser.add_argument("--first", type=at_least(0), default=0, metavar="N", help="the first one's number (default 0)")
    parser.add_argument("--seed", type=seed_from_text, default=1, help="of the noise (default 1)")
    parser.add_argument("--steps", type=at_least(1), default=25, metavar="N", help="of both flow models (default 25)")
    parser.add_argument("--guidance", type=float, default=3.0, metavar="G", help="of both flow models (default 3)")
    parser.add_argument("--estimated", action="store_true", help="give estimated normals in place of the true ones")
    parser.add_argument("--sheet", type=Path, metavar="PICTURE", help="write normal maps, truths and meshes here")
    parser.set_defaults(run=partial(run, engines=engines))


def run(options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Measure each shape's meshes and print a line each, then write the sheet. Returns 1 if one has no mesh.

    Raises `UserError`.
    """
    check_training("training", _SHAPES_NEED)
    check_training("hi3dgen", _ENGINE_NEEDS)
    from ..training.core.task import HELD_OUT_SEED  # noqa: PLC0415 - heavy, as all below
    from ..training.geometry import comparison, evaluation  # noqa: PLC0415
    from ..training.small import truth  # noqa: PLC0415
    from ..training.small.objects import drawn  # noqa: PLC0415

    if options.sheet:
        check_sheet(options.sheet, [], options.count, comparison.PANEL)
    given = {
        "hi3dgen": {f"{flow}_steps": options.steps for flow in ("structure", "latent")}
        | {f"{flow}_guidance": options.guidance for flow in ("structure", "latent")},
        "draft": {"upright": False},
    }
    settings = {name: checked(engines[name].label, engines[name].settings, given[name]) for name in _STAGES}
    scores: dict[str, dict[str, Score]] = {name: {} for name in _STAGES}
    rows: list[Picture] = []
    for index in range(options.first, options.first + options.count):
        made = drawn(HELD_OUT_SEED, index)
        shape = f"test-{index:06}"
        true = truth.pictured(made.seen, shape)
        normal_map = truth.normal_map_of(made.seen, made.random if options.estimated else None)
        surfaces: list[Triangles | None] = [true.surface]
        for name in _STAGES:
            try:
                mesh = _made(engines[name], normal_map, settings[name], options.seed)
            except UserError as error:
                if error.code not in _NOTHING:
                    raise
                print(f"{shape} {name}: {error.sentence}", file=sys.stderr, flush=True)
                surfaces.append(None)
                continue
            scores[name][shape], surface = evaluation.judge(true, mesh)
            surfaces.append(surface)
            print(_line(f"{shape} {name}", scores[name][shape]), flush=True)
        rows.append(_row(normal_map, surfaces))
    print(f"{'aligned: front':20}" + "".join(f"{head:>9}" for head in _HEADS))
    print(*(_line(f"mean {name}", evaluation.mean(found.values())) for name, found in scores.items()), sep="\n")
    if options.sheet:
        write_picture(options.sheet, np.concatenate(rows))
    return 0 if all(len(found) == options.count for found in scores.values()) else 1


def _made(engine: Engine, normal_map: NormalMap, settings: Settings, seed: int) -> Mesh:
    """The mesh that an engine's stages make of a normal map, before it is made smaller and set down."""
    from ..training.small.truth import cutout_of  # noqa: PLC0415 - not in the extension's zip

    products: dict[str, Any] = {"normal_map": normal_map, "cutout": cutout_of(normal_map)}
    for stage in engine.stages:
        if stage.name in _STAGES[engine.name]:
            used = {name: seed if name == "seed" else settings[name] for name in stage.uses}
            result = stage.run(*(products[name] for name in stage.takes), **used, report=_silent)
            products[stage.makes], _ = unwrapped(result)
    return products["mesh"]


def _silent(step: int, of: int) -> None:
    """Ignores the progress."""


def _row(normal_map: NormalMap, surfaces: "list[Triangles | None]") -> Picture:
    """The normal map, then the truth, the networks' mesh and the draft's, each from before, its right and behind.

    What was not made is white.
    """
    from ..raster.resample import crop_resize  # noqa: PLC0415
    from ..training.geometry.comparison import PANEL, drawn  # noqa: PLC0415
    from ..training.geometry.silhouettes import seen_from  # noqa: PLC0415
    from ..training.small.structures import over_white  # noqa: PLC0415
    from ..training.small.truth import coloured  # noqa: PLC0415

    picture = coloured(normal_map.normals, normal_map.alpha)
    shown = over_white(crop_resize(picture, 0, 0, len(picture), PANEL, fill=0))
    white = np.full((PANEL, PANEL, 3), 255, np.uint8)
    views = [
        white if surface is None else drawn(seen_from(surface, angle)) for surface in surfaces for angle in _ANGLES
    ]
    return np.concatenate([shown, *views], axis=1)


def _line(name: str, score: "Score") -> str:
    return f"{name:20}" + "".join(f"{getattr(score, head):9.3f}" for head in _HEADS)
