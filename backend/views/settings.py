# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose in every engine of views."""

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


def steps(default: int) -> Setting:
    """In how many steps views are found."""
    return Setting(
        name="steps",
        label="Steps",
        description="Steps in which the views are found; each costs two evaluations of the network",
        default=default,
        minimum=1,
        maximum=200,
        advanced=True,
    )
