# SPDX-License-Identifier: GPL-3.0-or-later
"""Formulae that are written once and run twice: compiled, a point at a time, or as they stand, on whole arrays.

What is marked `compiled` uses nothing but arithmetic and numpy's functions, and branches on a point only where all of
many points agree. With numba it becomes machine code that takes numbers; without, the same lines take arrays and give
the same to rounding, more slowly.

numba keeps its machine code in a folder. It notices a change of the file that a kernel stands in, not of those that
the kernel calls; so the folder's name holds a hash of all of this package's sources.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

Reals = Array | float
"""What formulae take: a number, or an array of any shape that goes with the others'."""

Truth = NDArray[np.bool_] | bool
"""What comparing them gives."""

_F = TypeVar("_F", bound=Callable[..., object])

# A reordering of sums is not allowed: it would set the two ways apart. That nothing is NaN or infinite holds.
_FAST = {"nnan", "ninf", "nsz", "contract"}


def _cache_folder() -> Path:
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    caches = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(caches) / "hi3dgen" / "kernels" / digest.hexdigest()[:16]


os.environ.setdefault("NUMBA_CACHE_DIR", str(_cache_folder()))

try:
    import numba
    from numba.core import config
except ImportError:
    numba = None
else:
    config.reload_config()  # numba may have been imported by somebody before

COMPILED = numba is not None and os.environ.get("NUMBA_DISABLE_JIT", "0") == "0"
"""Whether formulae take numbers (or, if not, arrays)."""


def compiled(formula: _F) -> _F:
    """Compile the formula when it is first called; without numba leave it as it is, for arrays."""
    if numba is None:
        return formula
    return cast("_F", numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST)(formula))


def woven(formula: _F) -> _F:
    """Do as `compiled`, but put the formula's lines into whoever calls it: a long one in an innermost loop.

    The machine takes several points at once only through a loop that calls nothing, and of itself the compiler puts
    only short formulae into their callers.
    """
    if numba is None:
        return formula
    weave = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=_FAST, inline="always")
    return cast("_F", weave(formula))


def _select(condition: Truth, this: Reals, other: Reals) -> Reals:
    """Return one of two numbers: what np.where does with arrays, without making an array of each number."""
    return this if condition else other


def _certain(condition: Truth) -> Truth:
    """Return whether a condition holds of the point: what np.all says of many."""
    return condition


select = cast("Callable[[Truth, Reals, Reals], Reals]", compiled(_select) if COMPILED else np.where)
certain = cast("Callable[[Truth], bool]", compiled(_certain) if COMPILED else np.all)


def either(each: Callable[..., object], at_once: Callable[..., object]) -> Callable[..., Array]:
    """Return what runs here: a compiled loop over points, or the formula that takes them all at once."""
    return cast("Callable[..., Array]", each if COMPILED else at_once)
