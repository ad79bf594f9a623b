# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong while packages are installed, found in pip's output and put into plain sentences."""

from __future__ import annotations

import re
from typing import NamedTuple


class Trouble(NamedTuple):
    """What happened: a code for programs, the sentence and the advice for people, and the evidence.

    evidence: the output's last line that shows the trouble, or the last lines of an output that nothing is known of.
    """

    code: str
    evidence: str
    sentence: str
    advice: str


# What pip's output holds if something went wrong that a person can mend; the first that is found decides.
_TROUBLES = (
    (
        "disk-full",
        r"No space left on device|Errno 28|WinError 112|not enough space",
        "The disk is full.",
        "Make room (also where temporary files go) and run this again.",
    ),
    (
        "certificate",
        r"CERTIFICATE_VERIFY_FAILED|SSLCertVerificationError",
        "The package index's certificate was not accepted.",
        "Behind a company's proxy, set PIP_CERT to its certificate file and run this again.",
    ),
    (
        "no-network",
        (  # the last one is that of pip 25 and newer
            r"NewConnection|NameResolut|\w+TimeoutError|ProxyError|Network is unreach|Connection ?[rR]eset"
            "|IncompleteRead|not enough bytes were received"
        ),
        "The package index could not be reached.",
        "Check the network (HTTPS_PROXY if there is a proxy) and run this again.",
    ),
    (
        "altered-file",
        r"THESE PACKAGES DO NOT MATCH THE HASHES|BadZipFile|is an invalid wheel|Wheel .* is invalid",
        "A file arrived that is not the expected one.",
        "A proxy, a virus scanner or the package index changed it: run this again, or in another network.",
    ),
    (
        "long-path",
        r"Windows Long Path|path too long|WinError 206",
        "Windows refused a path of more than 260 characters.",
        "Choose a shorter path or switch long paths on in Windows, and run this again.",
    ),
    (
        "not-writable",
        r"Permission denied|WinError 5\b|WinError 32\b|Errno 13",
        "A file could not be written.",
        "Close what uses the environment, see that the folder is yours, and run this again.",
    ),
    (
        "no-such-package",
        r"No matching distribution found|Cannot install .* because",
        "The package index has nothing that fits the pins, this Python and this system.",
        "The log names the package; large ones are built for 64-bit Linux (glibc 2.28 or newer), Windows and macOS.",
    ),
)


def explain(output: str) -> Trouble:
    """What went wrong, by pip's output."""
    lines = output.splitlines()
    for code, sign, sentence, advice in _TROUBLES:
        signs = [line for line in lines if re.search(sign, line)]
        if signs:
            return Trouble(code, signs[-1], sentence, advice)
    return Trouble("pip-failed", "\n".join(lines[-12:]), "pip failed.", "Its last lines say why.")
