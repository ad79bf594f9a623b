# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong with colours."""


class CannotPaintError(ValueError):
    """The mesh does not lie in the picture as one made from it does, or has no surface that can be laid out."""
