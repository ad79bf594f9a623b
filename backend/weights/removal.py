# SPDX-License-Identifier: GPL-3.0-or-later
"""Deletes the weights, and nothing else that lies in their folder."""

import time

from ..errors import UserError
from ..folders import delete, size, weights_folder
from .catalogue import PACKAGES
from .lock import only_process_in
from .record import own_folder

_ENDING_SECONDS = 5.0  # in which a backend that was asked to end has ended


def bytes_here() -> int:
    """The bytes on the disk that `remove` makes free."""
    return sum(size(own_folder(package)) for package in PACKAGES)


def remove() -> None:
    """Delete every package. Raises `UserError` if another process is busy with them, or a file is in use."""
    with only_process_in(weights_folder()):
        deadline = time.monotonic() + _ENDING_SECONDS
        try:
            for package in PACKAGES:
                delete(own_folder(package), deadline)
        except OSError as error:
            sentence = f"Not all of the weights could be deleted: {error}."
            advice = "Close what uses them, other Blenders too, and try again."
            raise UserError("not-writable", sentence, advice) from error
