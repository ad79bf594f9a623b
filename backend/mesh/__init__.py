# SPDX-License-Identifier: GPL-3.0-or-later
"""What every mesh goes through, whichever engine made it."""
