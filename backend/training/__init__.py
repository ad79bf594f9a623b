# SPDX-License-Identifier: GPL-3.0-or-later
"""How the networks are trained, from data to checkpoint. Nothing that runs inside Blender imports this."""
