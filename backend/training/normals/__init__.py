# SPDX-License-Identifier: GPL-3.0-or-later
"""The training and the measuring of normal estimators, for `backend.commands`; it uses `core` and `shapes`."""
