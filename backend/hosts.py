# SPDX-License-Identifier: GPL-3.0-or-later
"""The public hosts that this program talks to, all of them, and each only when it is asked to download.

Who has a mirror sets the environment variable that is named beside the host.
"""

HUB = "https://huggingface.co"  # the published weights; HF_ENDPOINT names a mirror
PYTORCH = "https://download.pytorch.org/whl"  # PyTorch, a folder for each build; HI3DGEN_PYTORCH names a mirror
PYPI = "https://pypi.org/simple"  # all other packages; pip's own settings (PIP_INDEX_URL, pip.conf) name a mirror
