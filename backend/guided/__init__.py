# SPDX-License-Identifier: GPL-3.0-or-later
"""Reference-guided views: what a mesh looks like from other sides, with the texture of the one picture.

It is done with a published network that draws pictures for depths (Yu et al., HiFi-123, 2023).
"""
