# SPDX-License-Identifier: GPL-3.0-or-later
"""Which error a person gets for pip's output."""

import pytest

from backend.install.troubles import explain


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device", "disk-full"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError('...')'\nERROR: No matching distribution",
            "no-network",
        ),
        (
            "urllib3.exceptions.ProtocolError: IncompleteRead(12 bytes read, 99 more)",
            "no-network",
        ),
        (
            "error: incomplete-download\nDownload failed because not enough bytes were received (2.0 MB/4.0 MB)",
            "no-network",
        ),
        (
            "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed'))",
            "certificate",
        ),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "altered-file"),
        ("ERROR: No matching distribution found for bpy==4.5.15", "no-such-package"),
        ("ERROR: Could not install packages: [WinError 5] Access is denied", "not-writable"),
        ("ERROR: OSError: [WinError 206] The filename or extension is too long", "long-path"),
        ("Segmentation fault", "pip-failed"),
    ],
)
def test_each_output_has_its_error(output: str, code: str) -> None:
    trouble = explain(f"Collecting torch\n{output}\n")
    assert trouble.code == code
    assert trouble.evidence.splitlines()[-1] in output
    assert trouble.sentence.endswith(".")
    assert trouble.advice.endswith(".")
