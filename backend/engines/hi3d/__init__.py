# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine `hi3d`, read from front to back: `engine` lists its stages, the other modules are what they do."""
