# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal maps as pictures, normals from outlines, and the small network that estimates them. It uses raster/."""
