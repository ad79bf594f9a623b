# SPDX-License-Identifier: GPL-3.0-or-later
"""Which published weights the engines use: the one place that says so.

The licences are what public sources name (docs/weights.md says which); what the hub's own page names is read from it
before a download and shown.
"""

from dataclasses import dataclass

_DIFFUSERS, _TRANSFORMERS = "diffusion_pytorch_model.safetensors", "model.safetensors"
BRANCH = "main"  # of a repository whose commits no public source names in full
_NETWORKS = (  # of pipeline.json: what makes the structure, what decodes it, and the same for the shape
    "ss_flow_normal_dit_L_16l8_fp16",
    "ss_dec_conv3d_16l8_fp16",
    "slat_flow_normal_dit_L_64l8p2_fp16",
    "slat_dec_mesh_swin8_B_64l8m256c_fp16",
)


@dataclass(frozen=True)
class Package:
    """The files of one repository of the hub; they lie in WEIGHTS/`name`/`file`, named as on the hub.

    `revision` is the hub's commit that a first download takes, or `BRANCH`: then it takes the newest commit, and the
    record says which that was. `files` are all that is needed of the repository, with "/" between folders. `bytes`
    is their size, about. `licence` is its name, `licence_url` where it can be read, `terms` what a person should know
    before the download besides. An engine that uses an `optional` package runs without it too. `made` names folders
    that engines make of the files, beside them. `licence_there` is what the hub's page calls the licence, if otherwise.
    """

    name: str
    repository: str
    revision: str
    files: tuple[str, ...]
    licence: str
    licence_url: str
    bytes: int
    purpose: str
    optional: bool = False
    terms: str = ""
    made: tuple[str, ...] = ()
    licence_there: str = ""


GEOMETRY = Package(
    name="trellis-normal-v0-1",
    repository="Stable-X/trellis-normal-v0-1",
    revision=BRANCH,
    files=("pipeline.json", *(f"ckpts/{name}.{kind}" for name in _NETWORKS for kind in ("json", "safetensors"))),
    licence="MIT",
    licence_url="https://github.com/Stable-X/Hi3DGen/blob/main/LICENSE",
    bytes=2_664_021_360,
    purpose="Builds the shape from the normal map.",
)

NORMALS = Package(
    name="yoso-normal-v1-8-1",
    repository="Stable-X/yoso-normal-v1-8-1",
    revision=BRANCH,
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
    revision="e4c89a4e05589de9b3e188688a303d0f3c04d0f3",
    files=("config.json", "model.safetensors"),
    licence="Apache-2.0",
    licence_url="https://github.com/facebookresearch/dinov2/blob/main/LICENSE",
    bytes=1_217_000_000,
    purpose="Turns the normal map into what the shape's networks read.",
)

FOREGROUND = Package(
    name="BiRefNet",
    repository="ZhengPeng7/BiRefNet",
    revision="e2bf8e4460fc8fa32bba5ea4d94b3233d367b0e4",
    files=("config.json", "model.safetensors"),
    licence="MIT",
    licence_url="https://github.com/ZhengPeng7/BiRefNet/blob/main/LICENSE",
    bytes=444_000_000,
    purpose="Cuts the object out of a picture without transparency; without it, the background's colour decides.",
    optional=True,
)

GUIDED = Package(
    name="stable-diffusion-2-depth",
    repository="sd2-community/stable-diffusion-2-depth",
    revision="6cb92dd9430a7f6da8d9e99d7b60acdebcc348b7",
    files=(
        *(f"unet/{file}" for file in ("config.json", "diffusion_pytorch_model.fp16.safetensors")),
        *(f"vae/{file}" for file in ("config.json", "diffusion_pytorch_model.fp16.safetensors")),
        *(f"text_encoder/{file}" for file in ("config.json", "model.fp16.safetensors")),
        *(
            f"tokenizer/{file}"
            for file in ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
        ),
    ),
    licence="OpenRAIL++",  # CreativeML Open RAIL++-M, as the hub names it
    licence_url="https://github.com/Stability-AI/stablediffusion/blob/main/LICENSE-MODEL",
    bytes=2_580_000_000,  # of the networks' values, at two bytes each
    purpose="Draws the sides that the picture does not show, with the picture's texture.",
    optional=True,
)

PACKAGES = (GEOMETRY, NORMALS, CONDITIONER, FOREGROUND)
"""What the engine `hi3dgen` uses, and what a download without names brings."""

HI3D = Package(
    name="hi3d",
    repository="hbyang/Hi3D",
    revision=BRANCH,
    files=("first_stage.pt", "second_stage.pt"),
    licence="MIT",
    licence_url="https://github.com/yanghb22-fdu/Hi3D-Official",
    bytes=7_829_357_333 + 6_950_000_000,
    purpose="Makes views from around the object, of 512 and then of 1024 pixels; of the engine hi3d.",
    terms="The networks were trained on from Stable Video Diffusion XT, whose own licence restricts what is made from "
    "it: whether the tag MIT can hold for these files is doubtful.",
    made=("first_stage-fp16", "second_stage-fp16"),
)

_SV3D_TERMS = "Gated: agree on its page in a browser first, and set HF_TOKEN. For non-commercial use alone."
_SV3D_LICENCE = "Stability AI Non-Commercial Community License"  # the title of the text at the address, of March 2024
_SV3D_THERE = "other"  # none that the hub knows by name, as on other pages of this publisher
_SV3D_URL = "https://github.com/Stability-AI/generative-models/blob/main/model_licenses/LICENSE-SV3D"

SV3D_U = Package(
    name="sv3d-u",
    repository="stabilityai/sv3d",
    revision=BRANCH,
    files=("sv3d_u.safetensors",),
    licence=_SV3D_LICENCE,
    licence_url=_SV3D_URL,
    bytes=9_360_000_000,
    purpose="Makes views from around the object at the picture's own height; of the engine sv3d.",
    optional=True,
    terms=_SV3D_TERMS,
    made=("sv3d_u-fp16",),
    licence_there=_SV3D_THERE,
)

SV3D_P = Package(
    name="sv3d-p",
    repository="stabilityai/sv3d",
    revision=BRANCH,
    files=("sv3d_p.safetensors",),
    licence=_SV3D_LICENCE,
    licence_url=_SV3D_URL,
    bytes=9_370_000_000,
    purpose="Makes views from around the object from a height that is given; of the engine sv3d.",
    optional=True,
    terms=_SV3D_TERMS,
    made=("sv3d_p-fp16",),
    licence_there=_SV3D_THERE,
)

_SIX_TERMS = "The weights are not for commercial use; what they draw is free to use."

SIX_VIEWS = Package(
    name="zero123plus-v1.2",
    repository="sudo-ai/zero123plus-v1.2",
    revision=BRANCH,
    files=(
        "model_index.json",
        "scheduler/scheduler_config.json",
        *(f"feature_extractor_{part}/preprocessor_config.json" for part in ("clip", "vae")),
        *(f"{part}/{file}" for part in ("unet", "vae") for file in ("config.json", _DIFFUSERS)),
        *(f"{part}/{file}" for part in ("text_encoder", "vision_encoder") for file in ("config.json", _TRANSFORMERS)),
        *(
            f"tokenizer/{file}"  # the second and the third say what fills up a text
            for file in ("merges.txt", "special_tokens_map.json", "tokenizer_config.json", "vocab.json")
        ),
    ),
    licence="CC-BY-NC-4.0",
    licence_url="https://github.com/SUDO-AI-3D/zero123plus#license",
    bytes=7_690_000_000,  # of the networks' values, at four bytes each
    purpose="Draws six views around an object.",
    terms=_SIX_TERMS,
)

SIX_NORMALS = Package(
    name="controlnet-zp12-normal-gen-v1",
    repository="sudo-ai/controlnet-zp12-normal-gen-v1",
    revision=BRANCH,
    files=("config.json", _DIFFUSERS),
    licence="CC-BY-NC-4.0",
    licence_url="https://github.com/SUDO-AI-3D/zero123plus#license",
    bytes=1_460_000_000,  # as above
    purpose="Draws the normals of those six views.",
    optional=True,
    terms=_SIX_TERMS,
)

VIEW_BY_MOVE = Package(
    name="zero123-weights",
    repository="cvlab/zero123-weights",
    revision=BRANCH,
    files=("105000.ckpt",),
    licence="MIT",
    licence_url="https://github.com/cvlab-columbia/zero123/blob/main/LICENSE",
    bytes=8_430_000_000,  # at least: of the networks' values and those averaged in training, at four bytes each
    purpose="Draws an object as another camera sees it.",
)

ENCODERS = Package(
    name="trellis-image-large-encoders",
    repository="microsoft/TRELLIS-image-large",
    revision=BRANCH,
    files=tuple(
        f"ckpts/{name}.{kind}"
        for name in ("ss_enc_conv3d_16l8_fp16", "slat_enc_swin8_B_64l8_fp16")
        for kind in ("json", "safetensors")
    ),
    licence="MIT",
    licence_url="https://github.com/microsoft/TRELLIS/blob/main/LICENSE",
    bytes=119_068_016 + 173_242_816,
    purpose="Makes of meshes what the flow models learn from; for fine-tuning alone.",
)

MORE = (GUIDED, HI3D, SV3D_U, SV3D_P, SIX_VIEWS, SIX_NORMALS, VIEW_BY_MOVE, ENCODERS)
"""Of other engines and stages: what is downloaded by its name alone."""

EVERY = (*PACKAGES, *MORE)
"""What may lie among the weights: what is checked, moved and removed."""
