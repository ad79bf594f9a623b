# SPDX-License-Identifier: GPL-3.0-or-later
"""Unseen sides of a painted mesh, drawn by networks that are loaded for it; without them the mesh stays as it is."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from ..flow.products import Cutout, Mesh, Noted, Report
from ..models.depth_diffusion import DepthDiffusion
from ..nn.device import Compute
from ..nn.memory_plan import MemoryPlan, NetworkPool
from ..nn.watching import repeating
from ..weights.catalogue import GUIDED
from .complete import Settings, complete
from .directions import texts
from .networks import TEXT, VIEWS, missing
from .refine import Refinement, refine

MISSING = (
    "The sides that the picture does not show were filled with its colours: the weights that draw them are not "
    "downloaded, or not whole. Download them in the extension's preferences, or by "
    f"`python -m backend weights download {GUIDED.name}`."
)


def draw_unseen(
    mesh: Mesh,
    cutout: Cutout,
    pool: NetworkPool,
    compute: Compute,
    *,
    description: str = "",
    settings: Settings,
    refinement: Refinement | None = None,
    seed: int = 0,
    report: Report,
) -> Mesh | Noted:
    """Draw what the picture does not show of a mesh; see `complete` and `refine`.

    pool: of `networks`. description: what the object is, in English, or nothing. seed: of the refinement; without one
    there is no randomness. With a note if the weights are missing, or if memory ran out meanwhile.
    """
    if missing():
        return Noted(mesh, (MISSING,))
    named = texts(description)

    def embed(encoder: Any, _: MemoryPlan) -> dict[str, Tensor]:  # noqa: ANN401
        return dict(zip(named, encoder.embed([*named.values()]).split(1), strict=True))

    with repeating(report) as repeated:
        repeated(0, 1)
        contexts, notes = pool.run(TEXT, compute, embed, following=VIEWS)

        def work(network: Any, _: MemoryPlan) -> Mesh:  # noqa: ANN401
            return _drawn(mesh, cutout, network, contexts, settings, refinement, seed, repeated)

        made, more = pool.run(VIEWS, compute, work)
    return Noted(made, notes + more) if notes + more else made


def _drawn(
    mesh: Mesh,
    cutout: Cutout,
    network: DepthDiffusion,
    contexts: Mapping[str, Tensor],
    settings: Settings,
    refinement: Refinement | None,
    seed: int,
    report: Report,
) -> Mesh:
    if refinement is None:
        return complete(mesh, cutout, network, contexts, settings, report)
    half = _halves(report)
    made = complete(mesh, cutout, network, contexts, settings, half[0])
    return refine(made, cutout, network, contexts, seed, refinement, half[1])


def _halves(report: Report) -> tuple[Report, Report]:
    """Reports for the two halves of a work."""
    return lambda done, of: report(done, 2 * of), lambda done, of: report(of + done, 2 * of)
