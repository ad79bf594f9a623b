# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures, pixel grids and vectors in plain numpy. Any room may use it; of the others it knows the products alone."""
