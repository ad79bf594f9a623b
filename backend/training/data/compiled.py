# SPDX-License-Identifier: GPL-3.0-or-later
"""Formulae that are written once and run twice: compiled, a point at a time, or as they stand, on whole arrays.

What is marked `compiled` uses nothing but arithmetic and numpy's functions, and branches on a point only where all of
many points agree. With numba it becomes machine code that takes numbers; without, the same lines take arrays and give the same
to rounding, at a tenth of the speed.

numba keeps its machine code in a folder. It notices a change of the file that a kernel stands in, not of those that
the kernel calls; so the folder's name holds a hash of all of this package's sources.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np

_F = TypeVar("_F", bound=Callable[..., object])

# A reordering of sums is not allowed: it would set the two ways apart. That nothing is NaN or infinite holds.
_FAST = {"nnan", "ninf", "nsz", "contract"}


def _cache_folder() -> Path:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    caches = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "hi3dgen" / "kernels" / digest.hexdigest()[:16]


try:
    from numba import config, njit
except ImportError:
    COMPILED = False

    def compiled(formula: _F) -> _F:
        """Leave the formula as it is: it takes arrays."""
        return formula

    select = np.where
    certain = np.all
else:
    COMPILED = not config.DISABLE_JIT
    if not config.CACHE_DIR:
        config.CACHE_DIR = str(_cache_folder())

    def compiled(formula: _F) -> _F:
        """Compile the formula when it is first called."""
        return njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)(formula)

    def _select(condition: bool, this: float, other: float) -> float:
        """Return one of two numbers: what np.where does with arrays, without making an array of each number."""
        return this if condition else other

    select = compiled(_select) if COMPILED else np.where

    def _certain(condition: bool) -> bool:
        """Return whether a condition holds of the point: what np.all says of many."""
        return condition

    certain = compiled(_certain) if COMPILED else np.all
