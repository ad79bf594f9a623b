# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines that are programs of the user's own, each described by a file. Only the registry and tests import it."""
