# SPDX-License-Identifier: GPL-3.0-or-later
"""From views with their cameras to a mesh in their colours. Only the registry of engines and tests import it."""
