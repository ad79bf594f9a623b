# SPDX-License-Identifier: GPL-3.0-or-later
"""The hi3dgen engine's stage `unseen`: sides that the picture does not show are drawn by networks of their own.

These are on the device for this stage alone, so that the plan for the engine's own networks counts without them; the
engine's own leave it meanwhile, unless there is room for all.
"""

import logging

from ...errors import Cancelled, UserError
from ...flow.products import Cutout, Mesh, Noted, Report
from ...guided.complete import Settings
from ...guided.networks import missing, networks
from ...guided.refine import Refinement
from ...guided.settings import FILLED, REFINED
from ...guided.unseen import draw_unseen
from ...nn.device import choose, memory_of
from ...nn.memory_plan import NetworkPool, choose_plan
from ...texture.stages import FRONT

log = logging.getLogger(__name__)

_MIRRORED = (
    "The sides that the picture does not show were not drawn, because the mesh mirrors the front. "
    "Choose All Round under Colours."
)
_FAILED = "The sides that the picture does not show could not be drawn: they were filled with its colours."


def draw(
    mesh: Mesh,
    cutout: Cutout,
    own: NetworkPool,
    *,
    colours: str,
    unseen: str,
    precision: str,
    seed: int,
    report: Report,
) -> Mesh | Noted:
    """The mesh with its unseen sides drawn as the settings say; see `guided.unseen`.

    own: the engine's own networks. The mesh stays as it is, with a note, if it has no colours all round, if weights are
    missing, and if anything fails. Raises UserError "device-lost", for the device cannot be used any more.
    """
    if unseen == FILLED:
        return mesh
    if colours == FRONT:
        return Noted(mesh, (_MIRRORED,))
    if mesh.texture is None or mesh.texture.base_colour is None:  # which was noted when it could not be coloured
        return mesh
    try:
        return _drawn(mesh, cutout, own, precision, seed, report, refined=unseen == REFINED)
    except Cancelled:
        raise
    except UserError as error:
        if error.code == "device-lost":
            raise
        log.warning("unseen sides could not be drawn: %s", error)
        return Noted(mesh, (f"{_FAILED} {error.sentence} {error.advice}",))
    except Exception:  # the mesh is there, and worth more than these colours
        log.exception("unseen sides could not be drawn")
        return Noted(mesh, (_FAILED,))


def _drawn(
    mesh: Mesh, cutout: Cutout, own: NetworkPool, precision: str, seed: int, report: Report, *, refined: bool
) -> Mesh | Noted:
    compute = choose(precision)
    pool = NetworkPool(networks(refined=refined))
    both = choose_plan({**own.networks, **pool.networks}, compute, memory_of(compute.device))
    if not (missing() or both.resident):
        own.release()
    refinement = Refinement() if refined else None
    try:
        return draw_unseen(
            mesh, cutout, pool, compute, settings=Settings(), refinement=refinement, seed=seed, report=report
        )
    finally:
        pool.release()
