# SPDX-License-Identifier: GPL-3.0-or-later
"""The other computer, set up with this checkout."""

import pytest

from tests.backend.process import ROOT
from tests.other_computer import OtherComputer, copy_to
from tests.other_computer import other_computer as other_computer  # noqa: PLC0414 - a fixture


@pytest.fixture(scope="session")
def set_up(other_computer: OtherComputer) -> OtherComputer:
    """The other computer with this checkout's program."""
    copy_to(other_computer, ROOT)
    return other_computer


@pytest.fixture
def far(set_up: OtherComputer, monkeypatch: pytest.MonkeyPatch) -> OtherComputer:
    """The same, and `ssh` of this test knows it."""
    monkeypatch.setenv("PATH", set_up.path)
    return set_up
