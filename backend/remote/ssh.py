# SPDX-License-Identifier: GPL-3.0-or-later
"""The command lines of `ssh`, and what its failures mean.

`ssh` reads the user's own configuration, so a name there may stand for an address, a port, a key and hosts on the way.
It never asks anything (`BatchMode`): who asks has no terminal.
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence

from ..errors import UserError
from . import scripts

NOT_CONNECTED = 255  # ssh's own exit code
NEVER_RAN = {NOT_CONNECTED, scripts.NOT_SET_UP, scripts.NOT_WRITTEN, scripts.NO_PYTHON, scripts.NO_NUMPY}
_NAME = re.compile(r"[A-Za-z0-9_.%:\[\]@-]{1,255}", re.ASCII)
_OPTIONS = {
    "BatchMode": "yes",
    "ConnectTimeout": "15",
    "ServerAliveInterval": "5",  # with the next one: a connection that is gone is noticed within 15 s
    "ServerAliveCountMax": "3",
    "ExitOnForwardFailure": "yes",
    "Compression": "yes",  # docs/remote.md says what it brings
    "ControlPath": "none",  # the connection is this process, and ends with it
    "ForwardAgent": "no",
    "ForwardX11": "no",
    "RequestTTY": "no",
    "RemoteCommand": "none",
}


def checked_name(name: str) -> str:
    """What `ssh` calls the computer: a host, user@host, or a name in the user's configuration of ssh.

    Raises `UserError` for what is no such name, above all for what `ssh` would take for an option.
    """
    if not _NAME.fullmatch(name) or name.startswith("-"):
        sentence = f"“{name:.60}” is no name of a computer for ssh." if name else "No computer is named."
        raise UserError("bad-computer", sentence, "Name it as in a terminal, such as anna@workstation.")
    return name


def start(
    name: str, script: str, arguments: Sequence[str], forward: tuple[int, int] | None = None
) -> subprocess.Popen[bytes]:
    """Run a script of the shell on the computer, with pipes as its three streams.

    arguments: the script's $1, $2, … forward: a port of 127.0.0.1 here, and that of 127.0.0.1 there that it leads to.
    Raises `UserError` if there is no `ssh`.
    """
    program = shutil.which("ssh")
    if program is None:
        raise UserError("no-ssh", "This computer has no program “ssh”.", "Install OpenSSH's client, and try again.")
    options = [part for key, value in _OPTIONS.items() for part in ("-o", f"{key}={value}")]
    if forward:
        options += ["-L", f"127.0.0.1:{forward[0]}:127.0.0.1:{forward[1]}"]
    else:  # those of the user's configuration would be refused beside a connection that has them already
        options += ["-o", "ClearAllForwardings=yes"]
    there = shlex.join(["sh", "-c", script, "hi3dgen", *arguments])
    return subprocess.Popen(
        [program, *options, "--", checked_name(name), there],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        start_new_session=True,  # Ctrl-C is for this process, which then lets the other end
    )


def failure(name: str, code: int, said: Sequence[str]) -> UserError:
    """What went wrong if a script ended with this exit code. said: the last lines of standard error."""
    reason = next((line.strip() for line in reversed(said) if line.strip()), f"the exit code is {code}").rstrip(".")
    if code == NOT_CONNECTED:
        sentence = f"There is no connection to “{name}”: {reason:.200}."
        advice = f"Try “ssh {name} true” in a terminal until it asks nothing."
        return UserError("computer-unreachable", sentence, advice)
    if code == scripts.NOT_SET_UP:
        sentence = f"This version of Hi3DGen is not on “{name}”."
        advice = f"Set it up in the preferences, or by “python -m backend remote setup {name}”."
        return UserError("computer-not-set-up", sentence, advice)
    if code == scripts.NO_PYTHON:
        sentence = f"“{name}” has no Python 3.11 to 3.14."
        advice = f"Install one there, or name one by “python -m backend remote setup {name} --python PATH”."
        return UserError("computer-without-python", sentence, advice)
    sentence = f"Hi3DGen does not run on “{name}”: {reason:.200}."
    return UserError("computer-refuses", sentence, "Mend it there, and set it up again.")
