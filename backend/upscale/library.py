# SPDX-License-Identifier: GPL-3.0-or-later
"""Spandrel, which knows the networks of most published upscalers by their weights alone, without torchvision.

Spandrel imports all its networks at once. Two of them, which do not upscale (LaMa and RestoreFormer), take three names
from torchvision. That library is not in the engine's environment: each of its versions fits one very build of PyTorch,
and one that does not fit breaks other libraries, too. So three names stand for it while spandrel is imported. Only
networks that upscale are run afterwards, see `weights`; they never touch them.
"""

import importlib
import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_STANDING_IN = "torchvision", "torchvision.transforms", "torchvision.transforms.functional"
_NAMES = "InterpolationMode", "normalize", "rotate"


def spandrel() -> Any:  # noqa: ANN401 - a module
    """The library. Raises ImportError if it is not installed."""
    if "spandrel" not in sys.modules and _STANDING_IN[0] not in sys.modules:
        with _torchvision():
            return importlib.import_module("spandrel")
    return importlib.import_module("spandrel")


@contextmanager
def _torchvision() -> Generator[None]:
    """While the context lasts, torchvision can be imported, but for its absence: its names are there and do nothing."""
    modules = {name: ModuleType(name) for name in _STANDING_IN}
    for name in _NAMES:
        setattr(modules[_STANDING_IN[-1]], name, None)
    sys.modules.update(modules)
    try:
        yield
    finally:
        for name in modules:
            del sys.modules[name]
