# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines, a package each: what each can do, and its stages in order.

Heavy libraries must not be imported on the way to this package: an engine imports them inside its stages.
"""

import logging
from collections.abc import Mapping

from ..errors import UserError
from ..flow.engine import Engine
from ..folders import external_folder
from .draft.engine import DRAFT
from .external.description import NAME, SUFFIX, read_description
from .external.engine import broken, external, reserved
from .grid.engine import grid
from .hi3d.engine import hi3d
from .hi3dgen.engine import hi3dgen
from .sv3d.engine import sv3d
from .texture.engine import texture
from .world.engine import painted_world, world
from .zero123.engine import zero123
from .zero123pp.engine import zero123pp

__all__ = ["DRAFT", "ENGINES", "TOOLS", "with_external"]

log = logging.getLogger(__name__)

ENGINES: Mapping[str, Engine] = {
    engine.name: engine
    for engine in (DRAFT, hi3dgen(), hi3d(), sv3d(), zero123pp(), zero123(), world(), painted_world())
}
"""Those that make something of a picture."""
TOOLS: Mapping[str, Engine] = {tool.name: tool for tool in (texture(DRAFT), grid())}
"""Those that work on a mesh or on views that a request brings."""
MOST_EXTERNAL = 16
"""Files that are read, in the order of their names."""


def with_external(engines: Mapping[str, Engine]) -> dict[str, Engine]:
    """These engines, and those that files in the user's own folder describe, see docs/external_engines.md.

    A file that describes none becomes an engine that is missing and says why. Never raises.
    """
    found = dict(engines)

    def make_room() -> None:
        for engine in engines.values():
            engine.unload()

    try:
        paths = sorted(path for path in external_folder().glob(f"*{SUFFIX}") if not path.name.startswith("."))
    except (UserError, OSError) as error:
        log.warning("descriptions of external engines are not read: %s", error)
        return found
    for path in paths[:MOST_EXTERNAL]:
        if not NAME.fullmatch(path.stem) or path.stem in {*found, *TOOLS}:
            log.warning("“%s” is left out: its name is taken, or not made of a-z, 0-9 and _", path)
            continue
        try:
            found[path.stem] = external(read_description(path, reserved(DRAFT)), DRAFT, make_room)
        except UserError as error:
            log.warning("%s", error)
            found[path.stem] = broken(path, error)
    for path in paths[MOST_EXTERNAL:]:
        log.warning("“%s” is left out: %d descriptions are read at most", path, MOST_EXTERNAL)
    return found
