# SPDX-License-Identifier: GPL-3.0-or-later
"""The public hosts that this program downloads from, when a person asks for it.

The environment variable beside each host names a mirror in its place. All other packages come from pip's own index:
the Python Package Index, or the mirror that PIP_INDEX_URL or pip.conf names.
"""

HUB = "https://huggingface.co"  # the published weights; HF_ENDPOINT names a mirror
PYTORCH = "https://download.pytorch.org/whl"  # PyTorch, a folder for each build; HI3DGEN_PYTORCH names a mirror
