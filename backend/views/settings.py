# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose in every engine of views."""

from ..flow.settings import Setting


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
