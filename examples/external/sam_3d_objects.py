# SPDX-License-Identifier: GPL-3.0-or-later
"""SAM 3D Objects as an external engine of Hi3DGen. Untested.

It runs in the environment of SAM 3D Objects, in the folder of its repository; see docs/external_engines.md.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

CHECKPOINTS = "checkpoints/hf/pipeline.yaml"
sys.path.append("notebook")  # where its public interface is


def say(**line: Any) -> None:
    """Print a line for Hi3DGen."""
    print(json.dumps(line), flush=True)


def stop(error: str, advice: str) -> NoReturn:
    """Say why there is no mesh, and end."""
    say(error=error, advice=advice)
    sys.exit(1)


def main() -> None:
    """Make the mesh that a request asks for."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    output = Path(request["output"])
    say(progress=0.01, stage="Loading")
    kind, _, card = request["device"].partition(":")
    if kind not in ("", "cuda"):
        stop(f"It does not compute on “{request['device']}”", "Choose an NVIDIA card as the device, or none.")
    if card:
        os.environ["CUDA_VISIBLE_DEVICES"] = card
    try:
        import numpy as np
        import torch
        from inference import Inference
        from PIL import Image
    except (ImportError, KeyError) as error:  # it asks for CONDA_PREFIX
        stop(f"The environment of SAM 3D Objects is not whole: {error}", "Follow its doc/setup.md again.")
    if not torch.cuda.is_available():
        stop("PyTorch sees no NVIDIA card", "SAM 3D Objects needs one, with 32 GB.")
    rgba = np.array(Image.open(request["whole_picture"]).convert("RGBA"))
    networks = Inference(CHECKPOINTS, compile=False)
    say(progress=0.3, stage="Sampling")
    mesh = networks(rgba[..., :3], rgba[..., 3] > 127, seed=request["seed"])["glb"]
    if mesh is None:
        stop("SAM 3D Objects found no surface", "Try another seed, or a mask that shows more of the object.")
    say(progress=0.95, stage="Writing")
    colours = mesh.visual.vertex_colors / 255.0
    colours[:, :3] = np.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)[:, :3]
    mesh.visual.vertex_colors = np.rint(colours * 255).astype(np.uint8)  # glTF has them in linear light
    mesh.export(output / "mesh.glb")
    (output / "result.json").write_text(json.dumps({"protocol": 1, "mesh": "mesh.glb"}), encoding="utf-8")


if __name__ == "__main__":
    main()
