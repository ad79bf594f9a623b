# SPDX-License-Identifier: GPL-3.0-or-later
"""The engines that put a picture onto a sphere around the scene and continue it all round."""
