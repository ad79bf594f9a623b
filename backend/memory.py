# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory that is free inside the process goes back to the system."""

import ctypes
import gc
import sys


def give_back() -> None:
    """Give the system the memory that this process has freed and keeps for later.

    The C library keeps it when small pieces in use lie between free ones. Tested on Linux with glibc; the calls for
    macOS and Windows are untested there, and a C library without such a call is left alone.
    """
    gc.collect()
    try:
        if sys.platform == "win32":
            ctypes.CDLL("ucrtbase")._heapmin()  # noqa: SLF001 - its name
        elif sys.platform == "darwin":
            ctypes.CDLL(None).malloc_zone_pressure_relief(None, ctypes.c_size_t(0))
        else:
            ctypes.CDLL(None).malloc_trim(ctypes.c_size_t(0))
    except (OSError, AttributeError):  # another C library, such as musl
        pass
