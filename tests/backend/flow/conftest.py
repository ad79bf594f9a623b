# SPDX-License-Identifier: GPL-3.0-or-later
"""A pipeline that counts."""

import pytest

from tests.backend.flow.counted import Counted


@pytest.fixture
def counted() -> Counted:
    return Counted()
