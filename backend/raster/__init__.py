# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and pixel grids in plain numpy: resampling, PNG, connected parts, Poisson equations."""
