# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes out of a text what tells who the artist is, and what he works on: paths, names of files, users and machines."""

import getpass
import os
import re
import socket
from collections.abc import Collection
from pathlib import Path

GONE = "…"
_OURS = r"backend|blender_addon|site-packages|python3\.\d+|Lib"  # folders below which a path says nothing of the artist
_FILE = re.compile(r'File "([^"\n]*)"')
_CURLY = re.compile(r"“([^”\n]*)”")
_STRAIGHT = re.compile(r"""(?<!\w)'[^'\n]*[\\/.][^'\n]*'(?!\w)|"[^"\n]*[\\/.][^"\n]*\"""")
_PATH = re.compile(r"(?<![\w.:/\\…])(?:[A-Za-z]:[\\/]|\\\\|~?/)(?=[^\s/])[^\n]*")


def anonymous(text: str, known: Collection[str] = ()) -> str:
    """The text without paths, without what stands in quotation marks, and without the names of user and machine.

    In a traceback the part of a path that names a module stays. known: what may stand in quotation marks, such as the
    names of engines. Rather too much goes than too little: behind a path without quotation marks, the rest of its line.
    """
    modules: list[str] = []

    def module(found: re.Match[str]) -> str:
        modules.append(_module(found[1]))
        return f"\0{len(modules) - 1}\0"

    text = _FILE.sub(module, text.replace("\0", ""))
    text = _CURLY.sub(lambda found: found[0] if found[1] in known else f"“{GONE}”", text)
    text = _STRAIGHT.sub(f"'{GONE}'", text)
    text = _PATH.sub(GONE, text)
    for name in _names():
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", GONE, text, flags=re.IGNORECASE)
    return re.sub("\0(\\d+)\0", lambda found: f'File "{modules[int(found[1])]}"', text)


def _module(path: str) -> str:
    """The end of a path that is the program's or a library's own."""
    found = re.search(rf".*[\\/]((?:{_OURS})[\\/].*)", path)
    return f"{GONE}/{found[1]}" if found else GONE


def _names() -> set[str]:
    names = {os.environ.get(name, "") for name in ("USER", "USERNAME", "LOGNAME", "COMPUTERNAME")}
    for ask in (getpass.getuser, socket.gethostname, lambda: Path.home().name):
        try:
            names.add(ask())
        except (OSError, KeyError, RuntimeError, ImportError):  # a user whom the system does not know
            continue
    return {name for name in names if len(name) > 1}
