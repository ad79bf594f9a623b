# SPDX-License-Identifier: GPL-3.0-or-later
"""The wire between Blender and the backend, as docs/wire.md specifies it: numpy and the standard library alone."""
