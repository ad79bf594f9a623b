# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles kernels with numba, and keeps their machine code on disk.

numba notices a change of the file that a kernel stands in, but not of those that the kernel calls; so the name of the
folder for machine code holds a hash of all of this package's sources.
"""

import hashlib
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import config
from numba.core.errors import NumbaExperimentalFeatureWarning

Table = Any
"""A structured array. Kernels read its columns as attributes of a row, which numpy's types do not know."""

_F = TypeVar("_F", bound=Callable[..., object])
_SOURCES = b"".join(source.read_bytes() for source in sorted(Path(__file__).parent.glob("*.py")))
_CACHES = Path(os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
_FOLDER = _CACHES / "hi3dgen" / "kernels" / hashlib.sha256(_SOURCES).hexdigest()[:16]
os.environ.setdefault("NUMBA_CACHE_DIR", str(_FOLDER))
config.reload_config()  # numba read it when it was imported
warnings.simplefilter("ignore", NumbaExperimentalFeatureWarning)  # `literal_unroll` over kernels warns for nothing


def compiled(kernel: _F, *, always: bool = False) -> _F:
    """Compile a kernel when it is first called. Sums may not be reordered, and no number is NaN or infinite."""
    safe = {"nnan", "ninf", "nsz", "contract"}  # every machine gives the same
    return cast(
        "_F", numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=safe, forceinline=always)(kernel)
    )


def inlined(kernel: _F) -> _F:
    """Compile a kernel as a part of those that call it: only in a loop without calls several points go at once."""
    return compiled(kernel, always=True)
