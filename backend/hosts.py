# SPDX-License-Identifier: GPL-3.0-or-later
"""The public hosts that this program downloads from, when a person asks for it.

The environment variable beside each host names a mirror in its place. All other packages come from pip's own index:
the Python Package Index, or the mirror that PIP_INDEX_URL or pip.conf names.
"""

import os
import re
from urllib.parse import urlsplit

from .errors import UserError

HUB = "https://huggingface.co"  # the published weights; HF_ENDPOINT names a mirror
PYTORCH = "https://download.pytorch.org/whl"  # PyTorch, a folder for each build; HI3DGEN_PYTORCH names a mirror

_USER = re.compile(r"^([a-z][a-z0-9+.-]*://)[^/?#]*@", re.IGNORECASE)  # and password, of an address


def hub() -> str:
    """The address of the hub, or of its mirror. Raises `UserError` for one that cannot be an address."""
    address = (os.environ.get("HF_ENDPOINT") or HUB).rstrip("/")
    try:
        _ = urlsplit(address).port  # reading it checks it
    except ValueError as error:
        sentence = f"HF_ENDPOINT is “{shown(address)}”, which is no address: {error}."
        raise UserError("no-network", sentence, f"Unset it, or set it to one such as {HUB}.") from error
    return address


def shown(address: str) -> str:
    """An address for a person to read: without a user's name and password, and without control characters."""
    return "".join(c for c in _USER.sub(r"\1", address) if c.isprintable())
