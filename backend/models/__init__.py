# SPDX-License-Identifier: GPL-3.0-or-later
"""The published networks and nothing else: torch in, torch out. Engines, training and tests use them."""
