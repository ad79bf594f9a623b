# SPDX-License-Identifier: GPL-3.0-or-later
"""The training and the measuring of the network that sees a body's front and back behind a normal map."""
