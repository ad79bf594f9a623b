# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the libraries are here that engines with published networks need. This module imports none of them."""

import importlib.util

LIBRARIES = ("torch", "diffusers", "transformers", "safetensors", "PIL")


def lacking() -> str:
    """Which libraries are missing, as a sentence; empty if all are here."""
    absent = [library for library in LIBRARIES if importlib.util.find_spec(library) is None]
    if "torch" in absent:
        return "PyTorch, which it needs, is not installed yet."
    return f"Libraries that it needs are missing: {', '.join(absent)}." if absent else ""
