# SPDX-License-Identifier: GPL-3.0-or-later
"""ImageNet's colours, red, green and blue in [0, 1]: networks see pictures less their mean, over their deviation."""

MEAN = (0.485, 0.456, 0.406)
DEVIATION = (0.229, 0.224, 0.225)
