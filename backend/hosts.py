# SPDX-License-Identifier: GPL-3.0-or-later
"""The public hosts that this program talks to, each only when it is asked to download.

Who has a mirror sets the environment variable that is named beside the host. All other packages come from where pip
looks by itself: the Python Package Index, or the mirror that PIP_INDEX_URL or pip.conf names.
"""

HUB = "https://huggingface.co"  # the published weights; HF_ENDPOINT names a mirror
PYTORCH = "https://download.pytorch.org/whl"  # PyTorch, a folder for each build; HI3DGEN_PYTORCH names a mirror
