# SPDX-License-Identifier: GPL-3.0-or-later
"""The published flow models learn on from meshes (docs/norld.md): the cost, the objects, both trainings, the result."""
