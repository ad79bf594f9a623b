# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of neural networks that the engines share."""
