# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture → cut-out: the object without its background."""
