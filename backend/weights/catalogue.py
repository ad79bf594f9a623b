# SPDX-License-Identifier: GPL-3.0-or-later
"""Which published weights the hi3dgen engine uses: the one place that says so.

The licences are what public sources name (docs/weights.md says which); what the hub's own page names is read from it
before a download and shown. Nothing here says which revision: that is asked of the hub at the first download,
recorded, and held to.
"""

from dataclasses import dataclass

_NETWORKS = (  # of pipeline.json: what makes the structure, what decodes it, and the same for the shape
    "ss_flow_normal_dit_L_16l8_fp16",
    "ss_dec_conv3d_16l8_fp16",
    "slat_flow_normal_dit_L_64l8p2_fp16",
    "slat_dec_mesh_swin8_B_64l8m256c_fp16",
)


@dataclass(frozen=True)
class Package:
    """The files of one repository of the hub; they lie in WEIGHTS/`name`/`file`, named as on the hub.

    `files` are all that is needed of the repository, with "/" between folders. `bytes` is their size, about.
    `licence` is its name, `licence_url` where it can be read. Without an `optional` package the engine runs too.
    """

    name: str
    repository: str
    files: tuple[str, ...]
    licence: str
    licence_url: str
    bytes: int
    purpose: str
    optional: bool = False


GEOMETRY = Package(
    name="trellis-normal-v0-1",
    repository="Stable-X/trellis-normal-v0-1",
    files=("pipeline.json", *(f"ckpts/{name}.{kind}" for name in _NETWORKS for kind in ("json", "safetensors"))),
    licence="MIT",
    licence_url="https://github.com/Stable-X/Hi3DGen/blob/main/LICENSE",
    bytes=2_664_021_360,
    purpose="Builds the shape from the normal map.",
)

NORMALS = Package(
    name="yoso-normal-v1-8-1",
    repository="Stable-X/yoso-normal-v1-8-1",
    files=tuple(
        f"{part}/{file}"
        for part in ("controlnet", "unet", "vae")
        for file in ("config.json", "diffusion_pytorch_model.fp16.safetensors")
    ),
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    bytes=2_630_000_000,
    purpose="Estimates the normal map from the picture.",
)

CONDITIONER = Package(
    name="dinov2-with-registers-large",
    repository="facebook/dinov2-with-registers-large",
    files=("config.json", "model.safetensors"),
    licence="Apache-2.0",
    licence_url="https://github.com/facebookresearch/dinov2/blob/main/LICENSE",
    bytes=1_217_000_000,
    purpose="Turns the normal map into what the shape's networks read.",
)

FOREGROUND = Package(
    name="BiRefNet",
    repository="ZhengPeng7/BiRefNet",
    files=("config.json", "model.safetensors"),
    licence="MIT",
    licence_url="https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
    bytes=441_000_000,
    purpose="Cuts the object out of a picture without transparency; without it, the background's colour decides.",
    optional=True,
)

PACKAGES = (GEOMETRY, NORMALS, CONDITIONER, FOREGROUND)
