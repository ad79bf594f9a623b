# SPDX-License-Identifier: GPL-3.0-or-later
"""What every training needs: loop, checkpoint, devices, curve. Any room of training may use it; it knows no network.

A network's room describes its network, data and losses as a `task.TrainingTask`, and `loop.train` trains it.
"""
