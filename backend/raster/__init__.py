# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures, pixel grids and vectors in plain numpy. Any room may use it; it uses no other."""
