# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure, clean, reduce, place and project on meshes. Every engine may use it; it uses raster/."""
