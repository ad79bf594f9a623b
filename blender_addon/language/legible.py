# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts that Blender can show: a file's name may be no text."""

import re

_HALVES = re.compile("[\ud800-\udfff]")  # of surrogate pairs: bytes of a name that are no UTF-8


def legible(text: str) -> str:
    """The same text, with “�” for whatever in it is none. Blender raises an error if it gets such a text to show."""
    return _HALVES.sub("\N{REPLACEMENT CHARACTER}", text)
