# SPDX-License-Identifier: GPL-3.0-or-later
"""The draft engine's normals: those of the outline."""

from .outline import estimate

__all__ = ["estimate"]
