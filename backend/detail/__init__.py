# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal map's detail in the geometry, for engines that do not build their surface from it; numpy alone."""
