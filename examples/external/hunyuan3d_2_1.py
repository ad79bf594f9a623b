# SPDX-License-Identifier: GPL-3.0-or-later
"""Hunyuan3D-2.1 as an external engine of Hi3DGen: its shape, and on request its texture. Untested.

It runs in Hunyuan3D's own Python, in the folder of its repository; see docs/external_engines.md.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, NoReturn

MODEL = "tencent/Hunyuan3D-2.1"
sys.path[:0] = ["hy3dshape", "hy3dpaint"]  # they import each other by these folders


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
    settings, output = request["settings"], Path(request["output"])
    say(progress=0.01, stage="Loading")
    kind, _, card = request["device"].partition(":")
    if kind not in ("", "cuda"):
        stop(f"It does not compute on “{request['device']}”", "Choose an NVIDIA card as the device, or none.")
    if card:
        os.environ["CUDA_VISIBLE_DEVICES"] = card
    try:
        import torch
        from hy3dshape.pipelines import Hunyuan3DDiTFlowMatchingPipeline
        from PIL import Image
    except ImportError as error:
        stop(f"Hunyuan3D's environment is not whole: {error}", "Install its requirements again.")
    if not torch.cuda.is_available():
        stop("PyTorch sees no NVIDIA card", "Install the build of PyTorch for your driver.")
    pipeline = Hunyuan3DDiTFlowMatchingPipeline.from_pretrained(MODEL)
    steps, share = settings["steps"], 0.4 if settings["texture"] else 0.8

    def follow(step: int, *_: Any) -> None:
        say(progress=0.1 + share * (step + 1) / steps, stage="Shape")

    mesh = pipeline(
        image=Image.open(request["picture"]),
        num_inference_steps=steps,
        guidance_scale=settings["guidance"],
        octree_resolution=int(settings["octree"]),
        generator=torch.Generator().manual_seed(request["seed"]),
        callback=follow,
        callback_steps=1,
    )[0]
    if settings["texture"]:
        del pipeline
        torch.cuda.empty_cache()
        mesh = painted(mesh, request["picture"], output, settings["views"])
    mesh.export(output / "mesh.glb")
    (output / "result.json").write_text(json.dumps({"protocol": 1, "mesh": "mesh.glb"}), encoding="utf-8")


def painted(mesh: Any, picture: str, output: Path, views: int) -> Any:
    """The mesh with the texture that Hunyuan3D paints: base colour, metallic and roughness."""
    import trimesh
    from PIL import Image
    from textureGenPipeline import Hunyuan3DPaintConfig, Hunyuan3DPaintPipeline

    say(progress=0.55, stage="Texture")
    about = Hunyuan3DPaintConfig(views, 512)
    about.realesrgan_ckpt_path = "hy3dpaint/ckpt/RealESRGAN_x4plus.pth"
    about.multiview_cfg_path = "hy3dpaint/cfgs/hunyuan-paint-pbr.yaml"
    about.custom_pipeline = "hy3dpaint/hunyuanpaintpbr"
    mesh.export(output / "shape.glb")
    made = output / "textured.obj"
    paint = Hunyuan3DPaintPipeline(about)
    paint(str(output / "shape.glb"), picture, str(made), save_glb=False)  # its own way to GLB runs Blender
    images = {kind: output / f"textured{kind}.jpg" for kind in ("", "_metallic", "_roughness")}
    base, metallic, roughness = (Image.open(path) for path in images.values())
    red, green, blue = Image.new("L", base.size, 0), roughness.convert("L"), metallic.convert("L")
    material = trimesh.visual.material.PBRMaterial(
        baseColorTexture=base.convert("RGB"),
        metallicRoughnessTexture=Image.merge("RGB", (red, green, blue)),
        metallicFactor=1.0,
        roughnessFactor=1.0,
    )
    loaded = trimesh.load(made, force="mesh", process=False)
    loaded.visual = trimesh.visual.TextureVisuals(uv=loaded.visual.uv, material=material)
    return loaded


if __name__ == "__main__":
    main()
