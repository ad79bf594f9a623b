# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture → cut-out, by transparency or by a plain background. Every engine may use it; it uses raster/."""
