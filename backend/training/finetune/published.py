# SPDX-License-Identifier: GPL-3.0-or-later
"""The published weights that fine-tuning starts from: where they are, or what brings them."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ...models.pipeline_file import stem_of
from ...weights import store
from ...weights.catalogue import CONDITIONER, ENCODERS, GEOMETRY
from .parts import Part

NEEDED = (GEOMETRY, CONDITIONER, ENCODERS)
_DECODER = "slat_decoder_mesh"


@dataclass(frozen=True)
class Published:
    """The folders of the packages: the engine's own networks, what reads its pictures, and the encoders."""

    geometry: Path
    tokenizer: Path
    encoders: Path

    def flow(self, part: Part) -> Path:
        """The stem of a flow model's files. Raises `UserError`."""
        return stem_of(self.geometry, part.role)

    @property
    def decoder(self) -> Path:
        """The stem of the latents' decoder. Raises `UserError`."""
        return stem_of(self.geometry, _DECODER)

    @property
    def encoder_stems(self) -> tuple[Path, Path]:
        """The stems of both encoders: of structures, and of latents."""
        structures, latents = (file for file in ENCODERS.files if file.endswith(".safetensors"))
        return self.encoders / Path(structures).with_suffix(""), self.encoders / Path(latents).with_suffix("")


def find_published() -> Published:
    """Where the weights are. Raises UserError if some are missing or damaged: which, their size, what brings them."""
    lacking = [status for status in map(store.status, NEEDED) if status.state != "present"]
    for status in lacking:
        if status.trouble:
            raise status.trouble
    if lacking:
        names = [status.package.name for status in lacking]
        gigabytes = sum(status.bytes_missing for status in lacking) / 1e9
        raise UserError(
            "weights-missing",
            f"Fine-tuning starts from published weights that are not here: {', '.join(names)} ({gigabytes:.1f} GB).",
            f"Download them: `python -m backend weights download {' '.join(names)}`.",
        )
    return Published(*map(store.find, NEEDED))
