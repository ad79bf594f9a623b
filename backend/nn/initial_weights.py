# SPDX-License-Identifier: GPL-3.0-or-later
"""The weights that training starts from, as the published networks were trained."""

from torch import nn


def set_linear(network: nn.Module) -> None:
    """Gives every linear layer in `network` uniform weights by its sizes, and no bias (Glorot and Bengio 2010)."""
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)


def set_zero(*layers: nn.Module) -> None:
    """Makes layers give zero, so that what their result is added to stays as it is when training starts."""
    for layer in layers:
        for parameter in layer.parameters():
            nn.init.zeros_(parameter)
