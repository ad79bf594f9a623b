# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines, a package each: what each can do, and its stages in order.

Heavy libraries must not be imported on the way to this package: an engine imports them inside its stages.
"""

from collections.abc import Mapping

from ..flow.engine import Engine
from .draft.engine import DRAFT
from .hi3dgen.engine import hi3dgen
from .zero123.engine import zero123
from .zero123pp.engine import zero123pp

__all__ = ["DRAFT", "ENGINES"]

ENGINES: Mapping[str, Engine] = {engine.name: engine for engine in (DRAFT, hi3dgen(), zero123pp(), zero123())}
