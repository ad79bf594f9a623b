# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine `draft`: numpy alone, in seconds, offline. Only the registry of engines and tests import it."""
