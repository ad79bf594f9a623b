# SPDX-License-Identifier: GPL-3.0-or-later
"""Non-finite numbers are an error that names their network."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.nn.checks import require_finite


@pytest.mark.parametrize("number", [float("nan"), float("inf"), -float("inf")])
def test_a_non_finite_number_is_refused(number: float) -> None:
    result = torch.zeros(3, 4, dtype=torch.float16)
    assert require_finite(result, "normal estimator") is result
    result[1, 2] = number
    with pytest.raises(UserError, match=r"normal estimator .*float16 on cpu"):
        require_finite(result, "normal estimator")
