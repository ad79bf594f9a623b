# SPDX-License-Identifier: GPL-3.0-or-later
"""What every engine is made of: stages, settings, products and the pipeline. All but the wire may import it."""
