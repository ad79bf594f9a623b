# SPDX-License-Identifier: GPL-3.0-or-later
"""From a normal map to depths: integration, and the small network that sees a front and a back behind the map."""
