# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the libraries that networks need are not installed."""

import importlib.util
from collections.abc import Iterable


def lacking_libraries(needed: Iterable[str]) -> str:
    """Why an engine that needs these libraries cannot run here; empty if it can. Nothing is imported."""
    lacking = [library for library in needed if importlib.util.find_spec(library) is None]
    if "torch" in lacking:
        return "PyTorch, which it needs, is not installed yet."
    return f"Libraries that it needs are missing: {', '.join(lacking)}." if lacking else ""
