# SPDX-License-Identifier: GPL-3.0-or-later
"""From views with known cameras to a mesh: a grid of signed distances and colours, fitted by volume rendering."""
