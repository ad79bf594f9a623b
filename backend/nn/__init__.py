# SPDX-License-Identifier: GPL-3.0-or-later
"""Parts of neural networks, their devices and memory. Models, engines and training use it."""
