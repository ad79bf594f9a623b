# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures as files; Pillow knows the formats. Whatever a file holds, it becomes pixels or a sentence."""

import contextlib
import glob
import io
import logging
import stat
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Generator
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import UserError
from ..flow.products import Picture
from ..raster import png_reader
from ..wire.limits import MAX_PIXELS, MAX_SIDE
from .outputs import check_not_read, check_output, library, writing

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
MAX_BYTES = 2 << 30  # some decoders take the whole file into memory before they look at it
TOO_LARGE = f"Use at most {MAX_SIDE} pixels a side and 67 megapixels."
_OPAQUE = (".jpg", ".jpeg")
SAVE_AGAIN = "Save it again as PNG or JPEG."

logging.getLogger("PIL").addHandler(logging.NullHandler())  # else its complaints about damaged files reach the terminal

_ROOT = Path(__file__).parents[2]
_DECODE = "import sys; sys.path.insert(0, sys.argv[1]); from backend.files import pictures; pictures.print_pixels()"


def read_picture(path: Path) -> Picture:
    """A picture's pixels, uint8 (H, W, 4), upright, sRGB, straight alpha. Raises `UserError`."""
    image_module = library("PIL.Image", "Pillow", "read pictures")
    _check_file(path)
    try:
        with _opened(path) as image:
            by_libtiff = any(tile[0] == "libtiff" for tile in image.tile)
            return _decode_apart(path) if by_libtiff else _decode(path, image)
    except UserError:
        raise
    except PermissionError as error:
        sentence = f"You have no permission to read “{path}”."
        raise UserError("no-permission", sentence, "Change the file's permissions, or copy it elsewhere.") from error
    except image_module.DecompressionBombError as error:
        raise UserError("bad-picture", f"“{path.name}” is far too large.", TOO_LARGE) from error
    except MemoryError as error:
        sentence = f"The memory was not enough to read “{path.name}”."
        raise UserError("out-of-memory", sentence, "Close other programs, or use a smaller picture.") from error
    except Exception as error:  # a damaged file can make a decoder raise anything
        if "truncated" in str(error) or str(error) == png_reader.ENDS_EARLY:
            sentence = f"“{path.name}” ends in the middle of the picture."
            raise UserError("bad-picture", sentence, "Copy or download the file again.") from error
        raise UserError("bad-picture", f"“{path.name}” cannot be read as a picture.", SAVE_AGAIN) from error


def write_picture(path: Path, pixels: Picture) -> None:
    """Write uint8 (H, W, 3 or 4) in the format of the path's suffix; JPEG shows transparency as white.

    Raises `UserError`.
    """
    image_module = library("PIL.Image", "Pillow", "write pictures")
    if path.suffix.lower() in _OPAQUE and pixels.shape[2] == 4:
        alpha = pixels[..., 3:].astype(np.float32) / 255
        pixels = np.rint(255 + (pixels[..., :3] - np.float32(255)) * alpha).astype(np.uint8)
    with writing(path) as file:
        image_module.fromarray(pixels).save(file, image_module.registered_extensions()[path.suffix.lower()])


def check_picture_path(path: Path, *read: Path) -> None:
    """Refuse, before any work is done, a path that `write_picture` could not write to, or a file that is read.

    Raises `UserError`.
    """
    check_output(path, PICTURE_SUFFIXES, "picture")
    check_not_read(path, read)


def print_pixels() -> None:
    """Decode the file that the last argument names, and write its pixels to standard output as a .npy file."""
    path = Path(sys.argv[-1])
    with _opened(path) as image:
        np.save(sys.stdout.buffer, _decode(path, image))


@contextlib.contextmanager
def _opened(path: Path) -> Generator[Any]:
    """A file opened by Pillow, its header read, its warnings silenced. Raises whatever a decoder raises."""
    image_module = library("PIL.Image", "Pillow", "read pictures")
    # Not by its path: Pillow maps raw TIFF files into memory then, and scrambles those that lie on their side.
    with warnings.catch_warnings(action="ignore"), path.open("rb") as file, image_module.open(file) as image:
        _check_size(path, image)
        yield image


def _check_file(path: Path) -> None:
    """Refuse all that is no file before it is opened: to open a named pipe waits, perhaps for ever."""
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:  # ValueError: a NUL in the name
        advice = "For all that fit use `python -m backend batch`." if glob.has_magic(str(path)) else "Check the path."
        raise UserError("no-picture", f"There is no file “{path}”.", advice) from error
    except OSError as error:
        sentence = f"“{path}” cannot be opened: {error.strerror or type(error).__name__}."
        raise UserError("no-picture", sentence, "Check the path and its permissions.") from error
    if not stat.S_ISREG(status.st_mode):
        raise UserError("no-picture", f"“{path}” is no file.", "Give the path of a picture.")
    if status.st_size > MAX_BYTES:
        raise UserError("bad-picture", f"“{path.name}” is {status.st_size >> 30} GiB large.", SAVE_AGAIN)


def _check_size(path: Path, image: Any) -> None:  # noqa: ANN401 - a Pillow image
    if image.width * image.height > MAX_PIXELS or max(image.size) > MAX_SIDE:
        sentence = f"“{path.name}” is {image.width} x {image.height} pixels large."
        raise UserError("bad-picture", sentence, TOO_LARGE)


def _decode(path: Path, image: Any) -> Picture:  # noqa: ANN401 - a Pillow image
    if image.format == "PNG":
        png_reader.check(path.read_bytes())
    image.load()
    _check_size(path, image)  # some formats know their size only now
    upright = library("PIL.ImageOps", "Pillow", "read pictures").exif_transpose(image)
    pixels = np.array(_eight_bit(_in_srgb(upright)).convert("RGBA"))
    if image.format == "BMP" and not pixels[..., 3].any():
        pixels[..., 3] = 255  # most programs write nothing there, and mean a picture without transparency
    return pixels


def _decode_apart(path: Path) -> Picture:
    """Decode in a process of its own whose standard error goes nowhere.

    libtiff, which reads compressed TIFF files, prints what it thinks of a damaged one to the standard error of the
    process. To redirect that here would silence every other thread too, and Pillow gives no way to its messages.
    """
    command = [sys.executable, "-s", "-c", _DECODE, str(_ROOT), str(path)]
    with tempfile.TemporaryFile() as pixels:
        subprocess.run(
            command,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=pixels,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        pixels.seek(0)
        return np.load(pixels, allow_pickle=False)


def _in_srgb(image: Any) -> Any:  # noqa: ANN401 - a Pillow image
    """Convert colours from the profile that a file brings along to sRGB; one that is unreadable is ignored."""
    profile = image.info.get("icc_profile")
    if not profile or image.mode not in ("RGB", "RGBA"):
        return image
    cms = library("PIL.ImageCms", "Pillow", "read pictures")
    try:
        own = cms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in cms.getProfileDescription(own):
            return image
        return cms.profileToProfile(image, own, cms.createProfile("sRGB"), outputMode=image.mode)
    except (cms.PyCMSError, OSError, ValueError, TypeError):
        return image


def _eight_bit(image: Any) -> Any:  # noqa: ANN401 - a Pillow image
    """Pillow clips 16-bit grey, 32-bit to its older versions, to white when it converts; scale it instead.

    The one grey that a file calls transparent is looked up before: its neighbours become the same byte. Floats are from
    black, 0, to white, 1.
    """
    if image.mode == "F":
        module = library("PIL.Image", "Pillow", "read pictures")
        floats = np.nan_to_num(np.array(image), nan=0.0, posinf=1.0, neginf=0.0)
        return module.fromarray(np.rint(np.clip(floats, 0, 1) * 255).astype(np.uint8))
    if image.mode == "I" or image.mode.startswith("I;16"):
        module = library("PIL.Image", "Pillow", "read pictures")
        deep = np.array(image)
        grey = np.rint(np.clip(deep / 257.0, 0, 255)).astype(np.uint8)
        alpha = np.where(deep == image.info.get("transparency", -1), 0, 255).astype(np.uint8)
        return module.fromarray(np.stack([grey, alpha], axis=-1))
    return image
