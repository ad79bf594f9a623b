# SPDX-License-Identifier: GPL-3.0-or-later
"""The backend: everything between a picture and a mesh. It never imports bpy."""
