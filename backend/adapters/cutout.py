# SPDX-License-Identifier: GPL-3.0-or-later
"""The cut-out: shown while the job runs, and nothing else."""

from ..flow.products import Cutout
from .adapter import Adapter

ADAPTER = Adapter("cutout", Cutout, preview=lambda cutout: cutout.rgba)
