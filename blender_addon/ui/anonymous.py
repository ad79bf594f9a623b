# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of a text what tells who the artist is, and what he works on: paths, what is quoted, users and machines."""

import contextlib
import getpass
import os
import re
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from urllib.parse import urlsplit

GONE = "…"
_OURS = r"backend|blender_addon|site-packages|python3\.\d+|Lib"  # folders below which a path says nothing of the artist
_PUBLIC = r"pytorch\.org|python\.org|huggingface\.co|hf\.co|github\.com|blender\.org"
_OTHERS = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "PIP_PROXY", "PIP_INDEX_URL", "HF_ENDPOINT", "HI3DGEN_PYTORCH")
_FILE = re.compile(r'File "([^"\n]*)"')
_QUOTES = (  # opening, inside, closing: Python's own, GNU's and those of the languages that Blender speaks
    ("“", "(?:[^“”\n]|“[^“”\n]*”)*|[^”\n]*", "”"),
    ("„", "(?:[^„“”\n]|“[^“”\n]*”)*", "[“”]"),
    ("\u2018", r"(?:[^\u2019\n]|(?<=\w)\u2019(?=\w))*", "\u2019"),
    ("«", "[^»\n]*", "»"),
    ("「", "[^」\n]*", "」"),
    ("『", "[^』\n]*", "』"),
    (r"(?<!\w)b?'", r"(?:\\'|[^'\n]|(?<=\w)'(?=\w))*", r"'(?!\w)"),
    ('"', r'(?:\\"|[^"\n])*', '"'),
)
_QUOTED = re.compile("|".join(f"({opening})({inside})({closing})" for opening, inside, closing in _QUOTES))
_ADDRESS = re.compile(r"""\b(?!file:)[A-Za-z][\w+.-]+://[^\s"'“”]*""")
_PUBLIC_ADDRESS = re.compile(rf"https?://(?:[\w-]+\.)*(?:{_PUBLIC})(?:[/:?#].*)?", re.IGNORECASE)
_PATH = re.compile(
    r"(?:\bfile:[\\/]"
    r"|(?<![\w/])//(?=\w)"  # Blender's way to say: from the .blend file on
    r"|(?<![\w./\\…])(?:[A-Za-z]:[\\/]|\\\\|(?:~\w*|\.\.?)?/|\.\.?\\)(?=[^\s/]))[^\n]*"
)
_RELATIVE = re.compile(
    rf"(?<![\w./\\-])(?!(?:{_OURS})[\\/])[\w.-]+(?:[\\/][\w.-]+)*(?:\\[\w.-]+|/[\w.-]*\.[A-Za-z]\w{{1,4}}\b)"
)


def anonymous(text: str, known: Collection[str] = ()) -> str:
    """The text without paths, without what stands in quotation marks, and without the names of users and machines.

    In a traceback the part of a path that names a module stays, and so do public addresses. known: what may stand in
    quotation marks, such as the names of engines. Rather too much goes than too little: behind a path without quotation
    marks, the rest of its line. What is a name can still not be told of every word.
    """
    kept: list[str] = []

    def keep(what: str) -> str:
        kept.append(what)
        return f"\0{len(kept) - 1}\0"

    text = _FILE.sub(lambda found: keep(f'File "{_module(found[1])}"'), text.replace("\0", ""))
    text = _QUOTED.sub(lambda found: _quoted(found, known), text)
    text = _ADDRESS.sub(lambda found: keep(found[0]) if _PUBLIC_ADDRESS.fullmatch(found[0]) else GONE, text)
    text = _RELATIVE.sub(GONE, _PATH.sub(GONE, text))
    for name in sorted(_names(), key=len, reverse=True):  # first those that hold others
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", GONE, text, flags=re.IGNORECASE)
    return re.sub("\0(\\d+)\0", lambda found: kept[int(found[1])], text)


def _quoted(found: re.Match[str], known: Collection[str]) -> str:
    opening, inside, closing = (part for part in found.groups() if part is not None)
    return found[0] if inside in known else f"{opening}{GONE}{closing}"


def _module(path: str) -> str:
    """The end of a path that is the program's or a library's own."""
    found = re.search(rf".*[\\/]((?:{_OURS})[\\/].*)", path)
    return f"{GONE}/{found[1]}" if found else GONE


def _names() -> set[str]:
    names = {os.environ.get(name, "") for name in ("USER", "USERNAME", "LOGNAME", "COMPUTERNAME")}
    asked: tuple[Callable[[], str], ...] = (getpass.getuser, socket.gethostname, lambda: Path.home().name)
    for ask in asked:
        with contextlib.suppress(OSError, KeyError, RuntimeError, ImportError):  # a user whom the system does not know
            names.add(ask())
    names |= {name.partition(".")[0] for name in names}  # a machine's, without its domain
    for variable in (*_OTHERS, *map(str.lower, _OTHERS)):
        address = os.environ.get(variable, "")
        with contextlib.suppress(ValueError):  # it is no address
            host = urlsplit(address if "://" in address else f"//{address}").hostname or ""
            if not _PUBLIC_ADDRESS.fullmatch(f"https://{host}"):
                names.add(host)
    return {name for name in names if len(name) > 1}
