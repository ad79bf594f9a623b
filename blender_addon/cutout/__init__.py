# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out before there is a mesh: seen as an engine sees it, drawn by strokes, kept as a mask."""
