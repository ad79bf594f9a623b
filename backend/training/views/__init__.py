# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring of views of an object, and of meshes as cameras see them, against true views."""
