# SPDX-License-Identifier: GPL-3.0-or-later
"""Between Blender's images and the pictures of the wire (uint8 RGBA, sRGB, straight alpha, row 0 on top).

Blender's rows start at the bottom, its float images are linear with premultiplied alpha: both change here, once. Float
images of data, such as a normal map in 16 bits, are not linear colours: their numbers stay.
"""

import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import bpy
import numpy as np
from numpy.typing import NDArray

from ..errors import AddonError
from . import frames, picture_files

MAX_SIDE = 4096
BAND_PIXELS = 1 << 18
EXACT_PIXELS = 256  # of so many pixels, sums of products of two bytes are exact in 32 bits: 256 * 255² < 2²⁴
SRGB = "sRGB"  # the colour space
FROM_FILES = {"FILE", "SEQUENCE", "MOVIE", "TILED"}
PASSING = {"RENDER_RESULT", "COMPOSITING"}
UNREADABLE = "Choose another picture, or save this one as PNG and load it again."

Float32Array = NDArray[np.float32]


@dataclass(frozen=True)
class Copied:
    """An image's pixels as Blender had them at one moment, and the file that they are from.

    name: what an artist calls it. values: float32 (H * W * C,), the bottom row first. file: the bytes of the file, or
    where it is; empty if the pixels are not those of a file.
    """

    name: str
    values: Float32Array
    shape: tuple[int, int, int]
    is_float: bool
    is_data: bool
    file: bytes | Path


def pixels_of(image: bpy.types.Image, max_side: int = MAX_SIDE, frame: int = 0) -> NDArray[np.uint8]:
    """The picture as the wire wants it; see `upright`."""
    return upright(image, max_side, frame)[0]


def upright(image: bpy.types.Image, max_side: int = MAX_SIDE, frame: int = 0) -> tuple[NDArray[np.uint8], int]:
    """The picture as the wire wants it, uint8 (H, W, 4), upright, and how Blender shows it, 1 to 8 as Exif has it.

    Blender shows a photo as it lies in its file, whatever that says of its orientation; here it is turned, unless the
    artist has changed it: then its pixels are no longer the file's. Above `max_side` pixels a side it is shrunk. frame:
    which one of a movie or sequence. Raises `AddonError` if the image has no pixels, with the path of its file if that
    is missing, or if its file ends too early: Blender shows what is missing in grey.
    """
    return upright_of(copied(image, frame), max_side)


def copied(image: bpy.types.Image, frame: int = 0, into: Float32Array | None = None) -> Copied:
    """Copy an image's pixels, into memory that is there already if it is of their number; see `upright`.

    Blender gives them in one piece alone. Raises `AddonError` if there are none.
    """
    if image.type == "RENDER_RESULT":
        with _displayed(image, as_render=True) as saved:
            return copied(saved)
    if frames.is_moving(image):
        with frames.at_frame(image, frame) as path:
            return _copied(image, path, into)
    return _copied(image, path_of(image), into)


def path_of(image: bpy.types.Image) -> str:
    """Where the file of an image is that does not move."""
    return bpy.path.abspath(image.filepath, library=image.library)


def count_of(image: bpy.types.Image) -> int:
    """How many numbers an image's pixels are. Blender loads the image for that if it has not yet."""
    return image.size[0] * image.size[1] * image.channels


def shrunk_size(image: bpy.types.Image, max_side: int) -> tuple[int, int]:
    """How many rows and columns `upright` gives of an image at most, as Blender shows it. Raises `AddonError`."""
    width, height = image.size[0], image.size[1]
    if not (width and height):
        raise _without_pixels(image, path_of(image))
    (_, rows), (_, columns) = _blocks((height, width), max_side)
    return rows, columns


def upright_of(copy: Copied, max_side: int = MAX_SIDE) -> tuple[NDArray[np.uint8], int]:
    """What `upright` gives, of a copy; callable from any thread."""
    file = _bytes_of(copy.file)
    if picture_files.is_cut_off(file):
        raise AddonError(f"“{copy.name}” ends in the middle of the picture.", "Copy or download the file again.")
    lies = picture_files.orientation(file)
    rows = copy.values.reshape(copy.shape)[::-1]
    picture = _as_picture(rows, is_float=copy.is_float, is_data=copy.is_data, max_side=max_side)
    if picture_files.is_bmp(file) and not picture[..., 3].any():
        picture[..., 3] = 255  # most programs write nothing there, and mean a picture without transparency
    return picture_files.turned_upright(picture, lies), lies


def is_plain(image: bpy.types.Image) -> bool:
    """Whether its own pixels are the picture: neither a screen's colours nor a frame's are wanted."""
    shown = image.type == "RENDER_RESULT" or image.use_view_as_render or _has_other_colours(image)
    return not (shown or frames.is_moving(image))


def _copied(image: bpy.types.Image, path: str, into: Float32Array | None) -> Copied:
    """The same of an image that has its pixels from a file, if it has not been changed since."""
    count = count_of(image)
    if not count:
        raise _without_pixels(image, path)
    file = b"" if image.is_dirty else _file_of(image, path)
    if image.use_view_as_render or _has_other_colours(image):
        with _displayed(image, as_render=image.use_view_as_render) as saved:
            return replace(copied(saved), name=_called(image, path), file=file)
    values = np.empty(count, np.float32) if into is None or len(into) != count else into
    image.pixels.foreach_get(values)
    shape = (image.size[1], image.size[0], image.channels)
    is_data = image.colorspace_settings.is_data
    return Copied(_called(image, path), values, shape, image.is_float, is_data, file)


def _called(image: bpy.types.Image, path: str) -> str:
    return bpy.path.basename(path) or image.name


def _has_other_colours(image: bpy.types.Image) -> bool:
    """Whether the bytes of an image are no sRGB. Blender makes linear colours of floats when it loads them."""
    space = image.colorspace_settings
    return not (image.is_float or space.is_data or space.name == SRGB)


def _without_pixels(image: bpy.types.Image, path: str) -> AddonError:
    """Why an image has no pixels, as far as one can know."""
    if image.source in FROM_FILES and not image.packed_file and not Path(path.replace("<UDIM>", "1001")).is_file():
        sentence = f"The file of “{image.name}” is missing. It was here: {path}"
        return AddonError(f"{sentence}.", "Put it back, or find it with File > External Data > Find Missing Files.")
    return AddonError(f"The image “{image.name}” has no pixels.", UNREADABLE)


def unreadable(path: Path) -> AddonError:
    """Why a file is no image."""
    return AddonError(f"“{path.name}” cannot be read as a picture.", "Save it again as PNG or JPEG.")


def image_from_png(name: str, png: bytes, *, data: bool) -> bpy.types.Image:
    """A new image, packed into the file; `data` is for what is no colour, such as a normal map."""
    image = bpy.data.images.new(name, 1, 1)
    _pack(image, png, ".png")
    image.colorspace_settings.name = "Non-Color" if data else SRGB
    return image


def image_from_hdr(name: str, hdr: bytes) -> bpy.types.Image:
    """The same of a Radiance HDR file. Its colours are linear light, as those of a new image of floats are."""
    image = bpy.data.images.new(name, 1, 1, float_buffer=True)
    _pack(image, hdr, ".hdr")
    return image


def _pack(image: bpy.types.Image, content: bytes, suffix: str) -> None:
    image.filepath_raw = f"//{bpy.path.clean_name(image.name)}{suffix}"  # the setter of `filepath` looks for the file
    image.pack(data=content, data_len=len(content))
    image.source = "FILE"


def _file_of(image: bpy.types.Image, path: str) -> bytes | Path:
    """The file that an image was loaded from: its bytes if they are packed; empty if there is none."""
    if image.packed_file:
        return image.packed_file.data
    return Path(path) if image.source in {"FILE", "SEQUENCE"} else b""


def _bytes_of(file: bytes | Path) -> bytes:
    if isinstance(file, bytes):
        return file
    with suppress(OSError):
        return file.read_bytes()
    return b""


@contextmanager
def _displayed(image: bpy.types.Image, *, as_render: bool) -> Generator[bpy.types.Image]:
    """An image as a screen shows it, as an ordinary one; of the Render Result there are no other pixels.

    as_render: by the scene's view transform; else the colours stay, and are brought to sRGB.
    """
    scene = bpy.context.scene
    settings = scene.render.image_settings
    wanted = {"media_type": "IMAGE", "file_format": "PNG", "color_mode": "RGBA", "color_depth": "8"}
    wanted["color_management"] = "FOLLOW_SCENE" if as_render else "OVERRIDE"
    wanted = {name: value for name, value in wanted.items() if hasattr(settings, name)}  # Blender 5 has media types
    before = {name: getattr(settings, name) for name in wanted}
    view = settings.view_settings
    plain = {} if as_render else {"view_transform": "Standard", "look": "None", "exposure": 0.0, "gamma": 1.0}
    viewed = {name: getattr(view, name) for name in plain}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "picture.png")
        try:
            for name, value in wanted.items():
                setattr(settings, name, value)
            for name, value in plain.items():
                setattr(view, name, value)
            image.save_render(str(path), scene=scene)
        except RuntimeError as error:
            raise _not_displayed(image) from error
        finally:
            for name, value in viewed.items():
                setattr(view, name, value)
            for name, value in before.items():
                setattr(settings, name, value)
        saved = bpy.data.images.load(str(path))
        saved.colorspace_settings.name = SRGB  # Blender 5.3 names the image's own space in the file
        try:
            yield saved
        finally:
            bpy.data.images.remove(saved)


def _not_displayed(image: bpy.types.Image) -> AddonError:
    if image.type == "RENDER_RESULT":
        return AddonError("There is no render to take as the picture.", "Render first.")
    return AddonError(f"Blender does not give the colours of “{image.name}”.", UNREADABLE)


def _as_picture(
    values: Float32Array, *, is_float: bool, is_data: bool = False, max_side: int = MAX_SIDE
) -> NDArray[np.uint8]:
    """Float pixels (H, W, C), row 0 on top, as uint8 RGBA with no side above `max_side` pixels.

    A larger picture is averaged over whole blocks; what fills no block is dropped at the right and at the bottom. Done
    by bands of rows, so that Blender stands still for a moment only, and needs little more memory than it has in use.
    """
    (tall, height), (wide, width) = _blocks(values.shape[:2], max_side)
    picture = np.empty((height, width, 4), np.uint8)
    rows = max(BAND_PIXELS // (values.shape[1] * tall), 1)
    for first in range(0, len(picture), rows):
        target = picture[first : first + rows]
        band = _with_alpha(values[first * tall : (first + len(target)) * tall, : width * wide])
        blocks = band.reshape(len(target), tall, width, wide, 4)
        averaged = _average_premultiplied(blocks, is_data=is_data) if is_float else _average_straight(blocks)
        np.rint(averaged, out=target, casting="unsafe")
    return picture


def _blocks(shape: tuple[int, ...], max_side: int) -> list[tuple[int, int]]:
    """For rows and for columns: how many become one so that no side is above `max_side`, and how many that gives."""
    factor = -(-max(shape) // max_side)
    return [(min(factor, side), side // min(factor, side)) for side in shape]


def _average_straight(blocks: Float32Array) -> NDArray[np.floating[Any]]:
    """The mean of each block (H, tall, W, wide, 4) of a byte image as (H, W, 4) in [0, 255], exact up to the division.

    Colours count by their alpha, so that what hides in transparent pixels shows only if the whole block is transparent.
    """
    count = blocks.shape[1] * blocks.shape[3]
    exact = blocks * np.float32(255.0)
    if count == 1:
        return exact[:, 0, :, 0]
    np.rint(exact, out=exact)
    covered = _sum(exact[..., 3:])
    hidden = covered == 0
    plain = _sum(exact[..., :3]) if hidden.any() else 0.0
    exact[..., :3] *= exact[..., 3:]
    colour = np.where(hidden, plain, _sum(exact[..., :3])) / np.where(hidden, count, covered)
    return np.concatenate([colour, covered / count], axis=2)


def _average_premultiplied(blocks: Float32Array, *, is_data: bool) -> NDArray[np.floating[Any]]:
    """The same of a float image, linear and premultiplied; `is_data`: its numbers are no colours and have no curve."""
    averaged = _sum(blocks) / (blocks.shape[1] * blocks.shape[3])
    alpha = np.clip(averaged[..., 3:], 0.0, 1.0)
    straight = np.clip(averaged[..., :3] / np.maximum(alpha, 1e-6), 0.0, 1.0)
    return 255.0 * np.concatenate([straight if is_data else _encoded(straight), alpha], axis=2)


def _with_alpha(values: Float32Array) -> Float32Array:
    """Grey, grey with alpha or RGB become RGBA."""
    channels = values.shape[2]
    if channels == 4:
        return values
    colour = values[..., :3] if channels == 3 else np.repeat(values[..., :1], 3, axis=2)
    alpha = values[..., -1:] if channels == 2 else np.ones_like(values[..., :1])
    return np.concatenate([colour, alpha], axis=2)


def _sum(blocks: Float32Array) -> NDArray[np.floating[Any]]:
    """The sums of blocks (H, tall, W, wide, C), as (H, W, C)."""
    _, tall, _, wide, _ = blocks.shape
    kind = np.float32 if tall * wide <= EXACT_PIXELS else np.float64
    parts = [blocks[:, row, :, column] for row in range(tall) for column in range(wide)]
    total = parts[0].astype(kind)
    for part in parts[1:]:
        total += part
    return total


def _encoded(linear: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    """Linear colours in [0, 1] as sRGB (IEC 61966-2-1)."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
