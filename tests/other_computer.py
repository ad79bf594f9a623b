# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine of the tests as another computer: a real sshd on a port of 127.0.0.1, whose logins have another home."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

SSHD = shutil.which("sshd", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin"]))
NAME = "far"
_SECONDS = 20.0


@dataclass(frozen=True)
class OtherComputer:
    """home: that of its logins. path: a PATH on which `ssh` knows it as `NAME`."""

    home: Path
    path: str
    server: psutil.Process

    def cut(self) -> None:
        """End its connections, as when a cable is pulled: nobody takes leave. What runs there is told nothing."""
        for process in self.server.children():
            process.kill()

    def backends(self) -> list[psutil.Process]:
        """The backends that run there."""
        return self.running("serve")

    def running(self, *words: str) -> list[psutil.Process]:
        """What of ours runs there with these arguments: its children's fate does not depend on the connection's."""
        found: list[psutil.Process] = []
        for process in psutil.process_iter():
            try:  # a process that ends meanwhile cannot be asked any more
                if {"backend", *words} <= set(process.cmdline()) and process.environ().get("HOME") == str(self.home):
                    found.append(process)
            except psutil.Error:
                continue
        return found


@pytest.fixture(scope="session")
def other_computer(tmp_path_factory: pytest.TempPathFactory) -> Generator[OtherComputer]:
    """The other computer, without anything of ours."""
    if SSHD is None or shutil.which("ssh") is None:
        pytest.skip("needs OpenSSH's client and server")
    folder = tmp_path_factory.mktemp("ssh")
    home, bin_folder = folder / "home", folder / "bin"
    home.mkdir()
    bin_folder.mkdir()
    for key in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / key], check=True)
    port, bin_of_python = _free_port(), Path(sys.executable).parent
    (folder / "sshd_config").write_text(f"""
ListenAddress 127.0.0.1
Port {port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
SetEnv HOME={home} PATH={bin_of_python}:/usr/bin:/bin HI3DGEN_USER_FOLDER={home}/data HI3DGEN_WEIGHTS={home}/weights
""")
    (folder / "ssh_config").write_text(f"""
Host {NAME}
  HostName 127.0.0.1
  Port {port}
  IdentityFile {folder}/user
  IdentitiesOnly yes
  UserKnownHostsFile {folder}/known_hosts
  StrictHostKeyChecking accept-new
Host closed
  HostName 127.0.0.1
  Port {_free_port()}
""")
    program = bin_folder / "ssh"
    program.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/ssh_config "$@"\n')
    program.chmod(0o755)
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # which sshd wants of root, and the system makes as it boots
    with subprocess.Popen([SSHD, "-D", "-f", folder / "sshd_config", "-E", folder / "log"]) as server:
        try:
            _wait_for(port, server)
            path = os.pathsep.join([str(bin_folder), os.environ["PATH"]])
            yield OtherComputer(home, path, psutil.Process(server.pid))
        finally:
            server.kill()


def copy_to(computer: OtherComputer, program: Path) -> None:
    """Set it up with the program of a checkout or of an installed extension."""
    subprocess.run(
        [sys.executable, "-s", "-m", "backend", "remote", "copy", NAME, "--python", sys.executable],
        cwd=program,
        env={**os.environ, "PATH": computer.path},
        check=True,
        capture_output=True,
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Return when something is so."""
    deadline = time.monotonic() + 60.0
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1.0).close()
        except OSError:
            assert server.poll() is None, "sshd has ended"
            assert time.monotonic() < deadline, "sshd does not listen"
            time.sleep(0.05)
        else:
            return
