# SPDX-License-Identifier: GPL-3.0-or-later
"""How networks are trained, from data to checkpoint: for developers, in a checkout or an installed package.

The extension's zip leaves this folder out, so of the rest only `backend.commands` imports it, inside functions.
"""
