# SPDX-License-Identifier: GPL-3.0-or-later
"""What an artist can choose of sides that the picture does not show; without torch."""

from ..flow.settings import Option, Setting

FILLED = "filled"
DRAWN = "drawn"
REFINED = "refined"

UNSEEN = Setting(
    name="unseen",
    label="Unseen Colours",
    description="How the sides that the picture does not show get their colours. Networks that draw them need further "
    "weights, 2.6 GB under CreativeML Open RAIL++-M, which the preferences offer",
    default=FILLED,
    options=(
        Option(FILLED, "Filled", "The picture's colours go on there, smooth, as far as that can be guessed"),
        Option(
            DRAWN, "Drawn", "Networks draw views of these sides, with the picture's texture. It needs further weights"
        ),
        Option(
            REFINED,
            "Drawn and Refined",
            "The drawn colours are brought nearer to what the networks see from all around. It needs further weights, "
            "and takes longer",
        ),
    ),
    advanced=True,
)
