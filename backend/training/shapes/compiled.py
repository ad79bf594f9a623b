# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles kernels with numba, and keeps their machine code on disk.

numba notices a change of the file that a kernel stands in, but not of those that the kernel calls; so the name of the
folder for machine code holds a hash of all of this package's sources.
"""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import numba
from numba.core import config, types
from numba.extending import intrinsic

Table = Any
"""A structured array. Kernels read its columns as attributes of a row, which numpy's types do not know."""

_F = TypeVar("_F", bound=Callable[..., object])
_SOURCES = b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py")))
_CACHES = Path(os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_FOLDER = _CACHES / "hi3dgen" / "kernels" / hashlib.sha256(_SOURCES).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(_FOLDER))
config.reload_config()  # numba read it when it was imported


def compiled(kernel: _F, inline: Literal["never", "always"] = "never") -> _F:
    """Compile a kernel when it is first called.

    Sums may not be reordered: every machine gives the same. No number is NaN or infinite.
    """
    exact = {"nnan", "ninf", "nsz", "contract"}
    compile_it = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=exact, inline=inline)
    return cast("_F", compile_it(kernel))


def inlined(kernel: _F) -> _F:
    """Compile a kernel, and copy its lines into the kernels that call it.

    The machine takes several points at once only in a loop that calls nothing, and of itself the compiler copies only
    short kernels.
    """
    return compiled(kernel, "always")


def _fma(_: Any, a: Any, b: Any, c: Any) -> Any:  # noqa: ANN401, ARG001 - numba's own types
    def generate(_: Any, builder: Any, __: Any, numbers: Any) -> Any:  # noqa: ANN401
        return builder.fma(*numbers)

    return types.float64(types.float64, types.float64, types.float64), generate


fma = cast("Callable[[float, float, float], float]", intrinsic(_fma))
"""Returns a * b + c, rounded once: of a sum of two products the compiler rounds either, as the code around suggests."""
