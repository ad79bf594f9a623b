# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads one file over HTTP, and goes on where it was: after a break, and in a later process.

huggingface_hub goes on after a break only while its process lives, and deletes what it has when it ends. A file here
has up to 1.7 GB: what came of it is kept, and a range request (RFC 9110, section 14) asks for the rest.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import httpx2
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import get_session, hf_raise_for_status

from ..safe_files import open_own
from .hub import TIMEOUT

WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each new attempt at a connection that once worked
_TEMPORARY = (408, 429, 500, 502, 503, 504)  # HTTP status codes after which another attempt may succeed


class WebPageError(Exception):
    """A web page came instead of a file."""


def fetch(
    url: str,
    headers: dict[str, str],
    partial: Path,
    size: int,
    report: Callable[[int], None],
    *,
    waits: Sequence[float] = WAITS,
) -> None:
    """Download the `size` bytes of `url` into the file `partial`; what it has already are the first of them.

    `report(done)` is called for each piece with the number of bytes that are there. After a break there are as many
    new attempts as `waits`, counted anew whenever bytes come; there is none if no byte ever came.
    Raises httpx2.HTTPError, HfHubHTTPError, OSError and WebPageError, and what `report` raises; what came stays.
    """
    attempt = len(waits)
    with open_own(partial, append=True, private=False) as file:
        done = file.tell()
        while done < size:
            try:
                for start, piece in _pieces(url, headers, done, size):
                    done = _put(file, start, piece)
                    attempt = 0
                    report(done)
                if done < size:
                    raise httpx2.RemoteProtocolError("it ended too early")
            except (httpx2.TransportError, HfHubHTTPError) as error:
                temporary = not isinstance(error, HfHubHTTPError) or error.response.status_code in _TEMPORARY
                if not temporary or attempt >= len(waits):
                    raise
                file.flush()
                time.sleep(waits[attempt])
                attempt += 1
                report(done)


def _pieces(url: str, headers: dict[str, str], done: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The rest of the file after `done` bytes, in pieces with the offset of each, none beyond `size`."""
    asked = {**headers, "Range": f"bytes={done}-"} if done else headers
    with get_session().stream("GET", url, headers=asked, timeout=TIMEOUT) as response:
        hf_raise_for_status(response)
        if "text/html" in response.headers.get("Content-Type", ""):
            raise WebPageError
        start = done if response.status_code == 206 else 0  # 200: the server has no ranges and sends the whole file
        for piece in response.iter_bytes():
            yield start, piece[: size - start]
            start += len(piece)
            if start >= size:
                return


def _put(file: BinaryIO, start: int, piece: bytes) -> int:
    """Write the piece at the offset `start`, cutting off what follows; returns the offset of its end."""
    if file.tell() != start:
        file.truncate(start)
        file.seek(start)
    file.write(piece)
    return start + len(piece)
