# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of `python -m backend`, a module each. A command takes its parsed arguments and returns an exit code."""
