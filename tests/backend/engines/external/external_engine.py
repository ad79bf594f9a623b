# SPDX-License-Identifier: GPL-3.0-or-later
"""An external engine as small as one can be, with the standard library alone: a box in two colours.

It obeys docs/external_engines.md. Its setting `way` lets it misbehave in all the ways that programs do.
"""

import json
import os
import signal
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

CORNERS = [(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)]
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]  # outward
TURNED = [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, -3.0], [0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]  # seen from -y


def say(**line: Any) -> None:
    """Print a line for Hi3DGen."""
    print(json.dumps(line), flush=True)


def png(width: int, height: int, colours: list[tuple[int, int, int]]) -> bytes:
    """A PNG file whose columns have these colours, as many as it is wide."""
    rows = (b"\0" + b"".join(bytes(colour) for colour in colours)) * height
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ]
    packed = (
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def box(height: float, image: bytes) -> bytes:
    """A GLB file of a box, y up, `height` as high as it is wide: four corners of its own for each side, and UVs."""
    places = [CORNERS[corner] for side in SIDES for corner in side]
    uvs = [(u, v) for _ in range(6) for u, v in ((0.1, 0.1), (0.1, 0.9), (0.9, 0.9), (0.9, 0.1))]
    triangles = [4 * number + corner for number in range(6) for corner in (0, 1, 2, 0, 2, 3)]
    parts = [
        b"".join(struct.pack("<3f", x, y * height, z) for x, y, z in places),
        b"".join(struct.pack("<2f", *uv) for uv in uvs),
        struct.pack(f"<{len(triangles)}H", *triangles),
    ]
    parts += [image + b"\0" * (-len(image) % 4)] if image else []
    starts = [sum(map(len, parts[:number])) for number in range(len(parts))]
    document: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "indices": 2}]}],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": 24, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 24, "type": "VEC2"},
            {"bufferView": 2, "componentType": 5123, "count": 36, "type": "SCALAR"},
        ],
        "bufferViews": [
            {"buffer": 0, "byteOffset": start, "byteLength": len(part)}
            for start, part in zip(starts, parts, strict=True)
        ],
        "buffers": [{"byteLength": sum(map(len, parts))}],
    }
    if image:
        document["meshes"][0]["primitives"][0]["material"] = 0
        document["materials"] = [{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}]
        document |= {"textures": [{"source": 0}], "images": [{"bufferView": 3, "mimeType": "image/png"}]}
    words, numbers = json.dumps(document).encode(), b"".join(parts)
    words += b" " * (-len(words) % 4)
    whole = struct.pack("<II", len(words), 0x4E4F534A) + words + struct.pack("<II", len(numbers), 0x004E4942) + numbers
    return struct.pack("<4sII", b"glTF", 2, 12 + len(whole)) + whole


def misbehave(way: str, output: Path) -> None:
    """What programs do that are not to be trusted. Returns if the way is none of those that end here."""
    if way == "hang":
        with open(output.parent.parent / "hanging.txt", "a", encoding="utf-8") as file:  # noqa: PTH123
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            file.write(f"{os.getpid()} {child.pid}\n")
        time.sleep(600)
    elif way == "stay":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        (output.parent.parent / "hanging.txt").write_text(f"{os.getpid()}\n")
        time.sleep(600)
    elif way == "die":
        print("CUDA error: no kernel image is available", file=sys.stderr)
        sys.exit(3)
    elif way == "refuse":
        say(error="The graphics card has 8 GB, and 16 are needed", advice="Choose a smaller octree.")
        sys.exit(1)
    elif way == "nothing":
        sys.exit(0)
    elif way == "babble":
        for line in (
            '{"progress": 1' + "0" * 400 + "}",
            '{"progress": NaN}',
            '{"progress": true}',
            "{",
            '{"stage": 5}',
        ):
            print(line)
        sys.stdout.buffer.write(b"\xff\xfe" + b"x" * 300_000 + b"\r50 %\r100 %\n" + b"[" * 100_000 + b"\n")
        sys.stdout.buffer.write(b"line\n" * 5000)
    elif way == "outside":
        (output.parent.parent / "outside.glb").write_bytes(box(1, b""))
        result = {"protocol": 1, "mesh": "../../outside.glb"}
        (output / "result.json").write_text(json.dumps(result))
        sys.exit(0)


def main() -> None:
    """Do what a request asks for."""
    request = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    assert request["protocol"] == 1
    output, settings = Path(request["output"]), request["settings"]
    say(progress=0.1, stage="Loading")
    print("loaded nothing", flush=True)
    misbehave(settings.get("way", "well"), output)
    say(progress=0.5, stage="Building")
    if os.environ.get("TELL"):  # for a test: what the program can see
        seen = {"request": request, "environment": dict(os.environ), "folder": str(Path.cwd())}
        Path(os.environ["TELL"]).write_text(json.dumps(seen))
        pictures = {name: request[name] for name in ("picture", "normal_map", "whole_picture") if name in request}
        for name, path in {**pictures, **request.get("sides", {})}.items():
            Path(os.environ["TELL"]).with_name(f"seen_{name}.png").write_bytes(Path(path).read_bytes())
    colours = [(200, 30, 20)] * 4 + [(20, 60, request["seed"] % 256)] * 4
    if request["gives"] == "views":
        (output / "around").mkdir()
        (output / "around" / "front.png").write_bytes(png(8, 8, colours))
        cameras = {"version": 1, "cameras": [{"file": "front.png", "matrix": TURNED, "fov": 40.0}]}
        (output / "around" / "cameras.json").write_text(json.dumps(cameras))
        result: dict[str, Any] = {"protocol": 1, "views": "around"}
    else:
        image = png(8, 8, colours) if settings.get("painted", True) else b""
        made = box(settings.get("height", 1.0), image)
        (output / "mesh.glb").write_bytes(made[:-40] if settings.get("way") == "garbage" else made)
        result = {"protocol": 1, "mesh": "mesh.glb", "notes": [f"Named {settings.get('title', '')}"]}
    (output / "result.json").write_text(json.dumps(result))
    say(progress=1.0)


if __name__ == "__main__":
    main()
