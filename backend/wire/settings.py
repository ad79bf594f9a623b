# SPDX-License-Identifier: GPL-3.0-or-later
"""What each engine lets the artist choose, as data that both sides read.

Blender must know every setting before the backend runs and cannot import an engine: so the settings stand here, where
the engines take them from and the add-on builds its properties. Engines that share a name share the setting.
"""

from collections.abc import Iterable, Mapping

from .messages import Choice, Scalar, Setting

FACES = Setting(
    name="faces",
    label="Faces",
    description="How many triangles the mesh may have at most. Edges and outline are kept",
    default=100_000,
    minimum=1_000,
    maximum=1_000_000,
)

DRAFT_SETTINGS = (
    Setting(
        name="resolution",
        label="Resolution",
        description="Side of the square, in pixels, in which the object is worked out. Finer takes longer",
        default=512,
        minimum=64,
        maximum=1024,
    ),
    Setting(
        name="thickness",
        label="Thickness",
        description="How far the back reaches behind the outline, relative to what the seed draws",
        default=1.0,
        minimum=0.3,
        maximum=2.5,
    ),
    Setting(
        name="profile",
        label="Profile",
        description="How the back rounds off, relative to the seed's draw: lower is fuller, higher more pointed",
        default=1.0,
        minimum=0.6,
        maximum=1.4,
    ),
    FACES,
)

HI3DGEN_SETTINGS = (
    Setting(
        name="quality",
        label="Quality",
        description="How much work goes into the mesh",
        default="upstream",
        choices=(
            Choice("preview", "Preview", "A look at what comes, in a small part of the time"),
            Choice("balanced", "Balanced", "Close to the full result, in a third of the time"),
            Choice("upstream", "Upstream", "All the steps that Hi3DGen was published with"),
        ),
    ),
    FACES,
    Setting(
        name="solid",
        label="Solid",
        description="What the surface encloses is inside: one wall, with volume and orientation right",
        default=True,
    ),
    Setting(
        name="whole",
        label="Whole",
        description="Nothing is cut off where the object reaches the border of the volume",
        default=True,
    ),
    Setting(
        name="clean",
        label="Clean",
        description="Floaters and flakes go; real detached parts stay",
        default=True,
    ),
    Setting(
        name="reduce",
        label="Reduce",
        description="Bring the mesh down to the number of faces; else it keeps every triangle of the surface",
        default=True,
        advanced=True,
    ),
    Setting(
        name="structure_steps",
        label="Shape Steps",
        description="Steps in which the coarse shape is found; 0: as the quality says",
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
        description="Steps in which the details are found; 0: as the quality says",
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
    Setting(
        name="precision",
        label="Precision",
        description="The numbers that the networks compute with",
        default="auto",
        choices=(
            Choice("auto", "Automatic", "The quickest that this device computes well with"),
            Choice("float32", "32 Bit", "The most exact, and the slowest"),
            Choice("float16", "16 Bit", "Half the memory; for most graphics cards"),
            Choice("bfloat16", "Brain 16 Bit", "Half the memory, coarser, with no overflow; for newer cards"),
        ),
        advanced=True,
    ),
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

SETTINGS: Mapping[str, tuple[Setting, ...]] = {"draft": DRAFT_SETTINGS, "hi3dgen": HI3DGEN_SETTINGS}
"""Every engine's settings, by the engine's name."""


def split_setting(text: str) -> tuple[str, str]:
    """The name and the value of NAME=VALUE. Raises ValueError with a sentence to show."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise ValueError(f"“{text}” is not NAME=VALUE.")
    return name, value


def typed(settings: Iterable[Setting], texts: Iterable[tuple[str, str]]) -> dict[str, Scalar]:
    """Names and texts as names and values, each of its setting's kind.

    A text that is no such value stays as it is, and so does that of a foreign name: the engine knows what to say of it.
    """
    kinds = {setting.name: type(setting.default) for setting in settings}
    return {name: _value(kinds.get(name, str), text) for name, text in texts}


def _value(kind: type, text: str) -> Scalar:
    if kind is bool:
        return {"true": True, "on": True, "false": False, "off": False}.get(text.lower(), text)
    if kind in (int, float):
        try:
            return float(text)
        except ValueError:
            return text
    return text
