# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines, a package each: what each can do, and its stages in order.

Heavy libraries must not be imported on the way to this package: an engine imports them inside its stages.
"""

from collections.abc import Mapping

from ..flow.engine import Engine
from .draft.engine import DRAFT
from .grid.engine import grid
from .hi3d.engine import hi3d
from .hi3dgen.engine import hi3dgen
from .sv3d.engine import sv3d
from .texture.engine import texture
from .zero123.engine import zero123
from .zero123pp.engine import zero123pp

__all__ = ["DRAFT", "ENGINES", "TOOLS"]

ENGINES: Mapping[str, Engine] = {
    engine.name: engine for engine in (DRAFT, hi3dgen(), hi3d(), sv3d(), zero123pp(), zero123())
}
"""Those that make something of a picture."""
TOOLS: Mapping[str, Engine] = {tool.name: tool for tool in (texture(DRAFT), grid())}
"""Those that work on a mesh or on views that a request brings."""
