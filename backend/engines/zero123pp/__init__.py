# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine that sees six sides of an object at once."""
