# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal map's detail in the geometry, for every engine; numpy alone."""
