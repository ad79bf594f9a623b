# SPDX-License-Identifier: GPL-3.0-or-later
"""A small picture becomes larger before its normals are estimated: by the user's own upscaler, or by a resampler."""
