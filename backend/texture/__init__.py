# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours all round: where pictures see a mesh, its images, and what nobody saw."""
