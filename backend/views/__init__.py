# SPDX-License-Identifier: GPL-3.0-or-later
"""What engines that make pictures from around an object share: their published files, networks, cost and running."""
