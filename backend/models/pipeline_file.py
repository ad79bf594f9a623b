# SPDX-License-Identifier: GPL-3.0-or-later
"""What pipeline.json says of the published networks of a geometry: their files, and the scales of the latents."""

from pathlib import Path

from ..nn.checkpoint import damaged, read_description
from .latent_flow import Normalization

NAME = "pipeline.json"


def stem_of(folder: Path, role: str) -> Path:
    """The path of a network's files in the package's folder, without their suffix.

    role: its name in pipeline.json. Raises UserError if it is missing there.
    """
    path = folder / NAME
    try:
        return folder / read_description(path)["args"]["models"][role]
    except (KeyError, TypeError) as error:
        raise damaged(f"{path} does not name the file of the {role}") from error


def normalization_of(folder: Path) -> Normalization:
    """The scales of the latents in the package's folder. Raises UserError if they are missing or invalid."""
    path = folder / NAME
    try:
        scales = read_description(path)["args"]["slat_normalization"]
        return Normalization(**{name: tuple(map(float, values)) for name, values in scales.items()})
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(f"{path} does not say how the latents were normalised") from error
