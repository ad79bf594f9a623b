# SPDX-License-Identifier: GPL-3.0-or-later
"""3D Gaussians that show what views show, to render views in between: Kerbl et al. 2023, in plain torch."""
