# SPDX-License-Identifier: GPL-3.0-or-later
"""The training of the published networks of the hi3dgen engine, and its normal regularisation (docs/norld.md)."""
