# SPDX-License-Identifier: GPL-3.0-or-later
"""The setting that says which numbers networks compute with; see `device.choose`. This module does not import torch."""

from ..flow.settings import Option, Setting

PRECISION = Setting(
    name="precision",
    label="Precision",
    description="The numbers that the networks compute with",
    default="auto",
    options=(
        Option("auto", "Automatic", "The quickest that this device computes well with"),
        Option("float32", "32 Bit", "The most exact, and the slowest"),
        Option("float16", "16 Bit", "Half the memory; for most graphics cards"),
        Option("bfloat16", "Brain 16 Bit", "Half the memory, coarser, with no overflow; for newer cards"),
    ),
    advanced=True,
)
