# SPDX-License-Identifier: GPL-3.0-or-later
"""Normal map → mesh."""
