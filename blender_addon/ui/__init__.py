# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist sees and presses: panels, operators, menus, preferences, settings.

Only the add-on's own `__init__` uses it, which registers it.
"""
