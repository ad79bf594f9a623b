# SPDX-License-Identifier: GPL-3.0-or-later
"""From signed distances at voxels to triangles, in torch. The networks' decoders, training and engines use it."""
