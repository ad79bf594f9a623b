# SPDX-License-Identifier: GPL-3.0-or-later
"""What is set before torch is imported, seen from a process of its own."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SCRIPT = """
import json, os, sys
from backend.nn.environment import prepare_environment
prepare_environment()
assert "torch" not in sys.modules
print(json.dumps(dict(os.environ)))
"""
ALLOCATOR = ("PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")
AOTRITON = "TORCH_ROCM_AOTRITON_ENABLE_EXPERIMENTAL"


def prepared(**given: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {*ALLOCATOR, AOTRITON}}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=ROOT, env=kept | given, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


def test_the_variables_are_set_before_torch_is_imported() -> None:
    found = prepared()
    assert found[AOTRITON] == "1"
    maps = sys.platform == "linux" and platform.machine() == "x86_64" and "microsoft" not in platform.release().lower()
    assert [name for name in ALLOCATOR if name in found] == ["PYTORCH_ALLOC_CONF"][:maps]


@pytest.mark.parametrize("name", ALLOCATOR)
def test_what_the_user_set_stays(name: str) -> None:
    found = prepared(**{name: "max_split_size_mb:64", AOTRITON: "0"})
    assert found[AOTRITON] == "0"
    assert {one: found.get(one) for one in ALLOCATOR} == dict.fromkeys(ALLOCATOR) | {name: "max_split_size_mb:64"}
