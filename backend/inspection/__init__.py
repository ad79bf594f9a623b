# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mesh is like, in numbers, and how it gets a flat foot: numpy alone, for Blender and the command line."""
