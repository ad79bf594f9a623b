# SPDX-License-Identifier: GPL-3.0-or-later
"""The product's version, the same as in blender_manifest.toml and pyproject.toml (a test compares them)."""

VERSION = "0.1.0"
