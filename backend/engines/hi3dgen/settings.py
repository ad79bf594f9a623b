# SPDX-License-Identifier: GPL-3.0-or-later
"""What the artist can choose."""

from ...detail.stages import DETAIL
from ...flow.settings import Option, Preset, Setting
from ...guided.settings import UNSEEN
from ...mesh.stages import FACES, UPRIGHT
from ...nn.precision import PRECISION
from ...texture.stages import ALWAYS, COLOURS, FRONT, NEVER, NORMAL_TEXTURE, REMOVE_LIGHT
from ...upscale.stages import UPSCALE

SETTINGS = (
    Setting(
        name="quality",
        label="Quality",
        description="How much work goes into the mesh",
        default="upstream",
        options=(
            Option("preview", "Preview", "A look at what comes, in a small part of the time"),
            Option("balanced", "Balanced", "Close to the full result, in a third of the time"),
            Option("upstream", "Upstream", "All the steps that Hi3DGen was published with"),
        ),
    ),
    COLOURS,
    UNSEEN,
    REMOVE_LIGHT,
    NORMAL_TEXTURE,
    DETAIL,
    FACES,
    Setting(
        name="solid",
        label="Solid",
        description="What the surface encloses is inside: one wall, with volume and orientation right",
        default=True,
    ),
    Setting(
        name="whole",
        label="Cap Cut Ends",
        description="Close the mesh by a flat cap where the object reaches out of the volume that is worked in",
        default=True,
    ),
    UPRIGHT,
    Setting(
        name="clean",
        label="Remove Floaters",
        description="Loose specks and flakes go; real detached parts stay",
        default=True,
    ),
    Setting(
        name="reduce",
        label="Limit Faces",
        description="Bring the mesh down to the number of faces; else it keeps every triangle of the surface",
        default=True,
        advanced=True,
    ),
    Setting(
        name="structure_steps",
        label="Shape Steps",
        description="Steps in which the coarse shape is found; 0 takes those of the quality",
        default=0,
        minimum=0,
        maximum=200,
        advanced=True,
    ),
    Setting(
        name="structure_guidance",
        label="Shape Guidance",
        description="How closely the coarse shape follows the normal map",
        default=3.0,
        minimum=0.0,
        maximum=10.0,
        advanced=True,
    ),
    Setting(
        name="latent_steps",
        label="Detail Steps",
        description="Steps in which the details are found; 0 takes those of the quality",
        default=0,
        minimum=0,
        maximum=200,
        advanced=True,
    ),
    Setting(
        name="latent_guidance",
        label="Detail Guidance",
        description="How closely the details follow the normal map",
        default=3.0,
        minimum=0.0,
        maximum=10.0,
        advanced=True,
    ),
    PRECISION,
    UPSCALE,
    Setting(
        name="steady_noise",
        label="Steady Noise",
        description="Draw the noise by place, so that a small change of the shape leaves the rest as it was. "
        "A seed then means another mesh than upstream",
        default=False,
        advanced=True,
    ),
    Setting(
        name="upstream_preprocessing",
        label="Upstream Picture",
        description="Prepare the picture exactly as the published program does, its slips included",
        default=False,
        advanced=True,
    ),
)

PRESETS = (
    Preset("preview", "Preview", "A look at what comes, in a small part of the time", {"quality": "preview"}),
    Preset("balanced", "Balanced", "Close to the full result, in a third of the time", {"quality": "balanced"}),
    Preset(
        "upstream",
        "Upstream",
        "What the published program makes, its slips included: every triangle, two walls, no colours all round",
        {
            "upstream_preprocessing": True,
            "solid": False,
            "whole": False,
            "clean": False,
            "reduce": False,
            "upright": False,
            "detail": 0.0,
            "colours": FRONT,
            "normal_texture": NEVER,
        },
    ),
    Preset(
        "3d_print",
        "3D Print",
        "Fine relief in the faces themselves, as a printer sees nothing else",
        {"faces": 500_000, "normal_texture": NEVER},
    ),
    Preset(
        "game_asset",
        "Game Asset",
        "Few faces, with the relief in a normal texture and the picture's light out of the colours",
        {"faces": 5_000, "colours": "1024", "normal_texture": ALWAYS, "remove_light": True},
    ),
)
