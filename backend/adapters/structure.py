# SPDX-License-Identifier: GPL-3.0-or-later
"""The sparse structure: shown while the job runs, and nothing else."""

from ..flow.products import Structure
from ..raster.voxels import draw_voxels
from .adapter import Adapter

ADAPTER = Adapter("structure", Structure, preview=lambda structure: draw_voxels(structure.coords, structure.resolution))
