# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that sees an object from wherever the artist wants."""
