# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and meshes as files, outside Blender."""
