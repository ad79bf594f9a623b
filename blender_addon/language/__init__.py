# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist reads, in the language that Blender is set to; a file of translations (PO) for each language.

Blender itself translates labels, tooltips and menu entries, once they are registered. `words` is for the rest.
"""
