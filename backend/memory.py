# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that is free inside the process goes back to the system; and how much the machine has.

Tested on Linux with glibc. The calls for macOS and Windows are untested there; a C library that lacks them is left as
it is.
"""

import contextlib
import ctypes
import gc
import os
import sys

_ARENA_MAX = -8  # of glibc's malloc.h


def keep_one_heap() -> None:
    """Let all threads take their memory from one heap; to be called before there are others.

    glibc gives each thread a heap of its own, and `give_back` reaches the free end of the first one alone.
    """
    if sys.platform == "linux":
        _call(None, "mallopt", ctypes.c_int(_ARENA_MAX), ctypes.c_int(1))


def give_back() -> None:
    """Give the system the memory that this process has freed and keeps for later."""
    gc.collect()
    if sys.platform == "linux":
        _call(None, "malloc_trim", ctypes.c_size_t(0))
    elif sys.platform == "darwin":
        _call(None, "malloc_zone_pressure_relief", ctypes.c_void_p(None), ctypes.c_size_t(0))
    elif sys.platform == "win32":
        _call("ucrtbase", "_heapmin")


def of_machine() -> int:
    """The memory of this computer in bytes; 0 if the system does not say it, as on Windows."""
    with contextlib.suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return 0


def _call(library: str | None, function: str, *arguments: ctypes.c_int | ctypes.c_size_t | ctypes.c_void_p) -> None:
    """Call a function of the C library, if it has one of this name."""
    with contextlib.suppress(OSError, AttributeError):
        getattr(ctypes.CDLL(library), function)(*arguments)
