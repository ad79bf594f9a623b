# SPDX-License-Identifier: GPL-3.0-or-later
"""More pictures of the same object: from behind, from the left and from the right."""
