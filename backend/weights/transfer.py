# SPDX-License-Identifier: GPL-3.0-or-later
"""Brings one file over HTTP, and goes on where it was: after a break, and in a later process.

huggingface_hub goes on after a break only while its process lives and deletes what it has when it ends. A file here
has up to 1.7 GB: what came of it is kept beside, and a range request (RFC 9110, section 14) asks for the rest.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

import httpx2
from huggingface_hub.errors import HfHubHTTPError
from huggingface_hub.utils import get_session, hf_raise_for_status

from .hub import PATIENCE

WAITS = (1.0, 2.0, 4.0, 8.0)  # seconds before each new attempt at a connection that once worked
_PASSING = (408, 429, 500, 502, 503, 504)  # HTTP status codes that may be others a moment later


class WebPageError(Exception):
    """A web page came, where a file belongs."""


def fetch(
    url: str,
    headers: dict[str, str],
    partial: Path,
    size: int,
    report: Callable[[int], None],
    *,
    waits: Sequence[float] = WAITS,
) -> None:
    """Bring the `size` bytes of `url` into the file `partial`; bytes that are there already are taken for its first.

    `report(done)` is called for each piece with the bytes that are there. A break, once bytes came, is met by as many
    new attempts as there are `waits`, counted anew whenever bytes come.
    Raises httpx2.HTTPError, HfHubHTTPError, OSError and WebPageError, and what `report` raises; what came stays.
    """
    attempt = len(waits)  # where nothing ever came there is no use in waiting
    with partial.open("ab") as file:
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
                passing = not isinstance(error, HfHubHTTPError) or error.response.status_code in _PASSING
                if not passing or attempt >= len(waits):
                    raise
                file.flush()
                time.sleep(waits[attempt])
                attempt += 1
                report(done)


def _pieces(url: str, headers: dict[str, str], done: int, size: int) -> Iterator[tuple[int, bytes]]:
    """The rest of the file after `done` bytes, in pieces with the place where each belongs, none beyond `size`."""
    asked = {**headers, "Range": f"bytes={done}-"} if done else headers
    with get_session().stream("GET", url, headers=asked, timeout=PATIENCE) as response:
        hf_raise_for_status(response)
        if "text/html" in response.headers.get("Content-Type", ""):
            raise WebPageError
        start = done if response.status_code == 206 else 0  # 200: the server knows no ranges and starts anew
        for piece in response.iter_bytes():
            yield start, piece[: size - start]
            start += len(piece)
            if start >= size:
                return


def _put(file: BinaryIO, start: int, piece: bytes) -> int:
    """Write the piece at its place, where anything that was there ends; gives where the piece ends."""
    if file.tell() != start:
        file.truncate(start)
        file.seek(start)
    file.write(piece)
    return start + len(piece)
