# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring of cut-outs, for `backend.commands`; it uses `shapes`."""
