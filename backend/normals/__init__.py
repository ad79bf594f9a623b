# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut-out → normal map, and normal maps as pictures."""
