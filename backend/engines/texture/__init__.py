# SPDX-License-Identifier: GPL-3.0-or-later
"""The tool `texture`: a picture's colours for any mesh. Only the registry of engines and tests import it."""
