# SPDX-License-Identifier: GPL-3.0-or-later
"""The published weights: which there are, where they lie, how they are downloaded and checked."""
