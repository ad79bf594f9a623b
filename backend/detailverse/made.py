# SPDX-License-Identifier: GPL-3.0-or-later
"""What a stage's task comes to, beside the files that it has written."""

from collections.abc import Sequence
from typing import NamedTuple

from ..flow.products import Picture


class Made(NamedTuple):
    """notes: sentences on how it was made. drawn: pictures for the contact sheet, side by side; none without."""

    notes: Sequence[str] = ()
    drawn: Sequence[Picture] = ()
