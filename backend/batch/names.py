# SPDX-License-Identifier: GPL-3.0-or-later
"""What results are called: names that every system can write, and that no two pictures share."""

import re
import unicodedata
from collections.abc import Iterable, Sequence

MAX_PART_BYTES = 150  # of the 255 that a file's name may have: products, seeds and suffixes come behind
_FORBIDDEN = re.compile(r'[<>:"\\|?*\x00-\x1f\x7f\ud800-\udfff]')  # on Windows, and what is no text
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\.|$)", re.IGNORECASE)  # are no files on Windows


def safe_name(title: str) -> str:
    """A title such as "birds/owl" as a relative path, with "/", that every system can write. Never empty."""
    return "/".join([_safe_part(part) for part in title.split("/") if part not in ("", ".")]) or "_"


def is_safe(name: str) -> bool:
    """Whether every system can write this name as it is."""
    return bool(name) and safe_name(name) == name


def is_inside(path: object) -> bool:
    """Whether this is a relative path, with "/", that no system takes for one out of the folder or for a hidden one."""
    parts = path.split("/") if isinstance(path, str) else [""]
    return all(part and not part.startswith(".") and not {*part} & {*"\\:\0"} for part in parts)


def _safe_part(part: str) -> str:
    part = _FORBIDDEN.sub("_", part)
    part = part.encode()[:MAX_PART_BYTES].decode(errors="ignore").rstrip(". ").lstrip(" ")
    if part.startswith(".") or _DEVICES.match(part):
        part = f"_{part.removeprefix('.')}"
    return part or "_"


def folded(name: str) -> str:
    """A name as a file system that ignores case and the spelling of accents knows it."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def stems(name: str, products: Iterable[str], seeds: Sequence[int]) -> set[str]:
    """What the results of a picture may be called, without suffixes, folded."""
    bases = [name, *(f"{name}_{product}" for product in products)]
    return {folded(f"{base}{end}") for base in bases for end in ("", *(f"_seed{seed}" for seed in seeds))}


def file_stem(stem: str, product: str, seed: int | None) -> str:
    """A file's name without its suffix. product: empty for the main one. seed: None if it makes no difference."""
    return f"{stem}{f'_{product}' if product else ''}{'' if seed is None else f'_seed{seed}'}"
