# SPDX-License-Identifier: GPL-3.0-or-later
"""What the products of a job become in Blender: objects, meshes, materials, images.

`ui`, `generate` and `command` use it; it knows neither `ui` nor `link`.
"""
