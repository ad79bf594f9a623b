# SPDX-License-Identifier: GPL-3.0-or-later
"""The test that an environment has to pass before it is used: everything is imported, and the device computes."""

import json
import os
import subprocess
from pathlib import Path

from ..errors import UserError
from .builds import Build

FAILED = "test-failed"  # the error's code
TEST_SECONDS = 900.0  # the first import compiles thousands of files, under the eyes of a virus scanner

_CODE = """
import json, sys
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import Dinov2WithRegistersModel
import einops, httpx2, huggingface_hub, numpy, PIL, safetensors

wanted = sys.argv[1]
is_there = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available, "cpu": lambda: True}[wanted]()
if not is_there:
    sys.exit(f"PyTorch {torch.__version__} does not see the GPU")
ones = torch.ones(64, 64, device=wanted)
if float((ones @ ones).sum()) != 64.0 ** 3:
    sys.exit("a product of two matrices came out wrong")
name = torch.cuda.get_device_name(0) if wanted == "cuda" else {"mps": "Apple GPU", "cpu": "CPU"}[wanted]
print(json.dumps({"torch": torch.__version__, "device": name}))
"""


def test(python: Path, build: Build, bytecode: Path) -> tuple[str, str]:
    """Run the test in the environment whose Python is `python`; returns the version of PyTorch and the device's name.

    bytecode: the folder that the backend's bytecode goes to, so that its first start finds it. Raises
    `UserError(FAILED)`.
    """
    command = [python, "-I", "-X", f"pycache_prefix={bytecode}", "-c", _CODE, build.device]
    flags = getattr(subprocess, "CREATE_NO_WINDOW", 0)
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    try:
        ran = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=TEST_SECONDS,
            check=False,
            env=environment,
            creationflags=flags,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(str(error)) from error
    try:
        found = json.loads(ran.stdout.splitlines()[-1]) if ran.returncode == 0 else {}
        return str(found["torch"]), str(found["device"])
    except (IndexError, ValueError, KeyError, TypeError) as error:
        printed = (ran.stderr.strip() or ran.stdout.strip()).splitlines()
        raise _failed(printed[-1] if printed else f"exit code {ran.returncode}") from error


def _failed(why: str) -> UserError:
    advice = "What was in use before still is. Update the GPU's driver and try again, or choose another build (CPU)."
    return UserError(FAILED, f"The new environment did not pass its test: {why}.", advice)
