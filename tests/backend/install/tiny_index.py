# SPDX-License-Identifier: GPL-3.0-or-later
"""A package index of a few kilobytes on 127.0.0.1, laid out as the public ones (PEP 503), and what was asked of it."""

import contextlib
import hashlib
import http.server
import io
import os
import sys
import tempfile
import threading
import zipfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

ROOT = Path(__file__).parents[3]
BUILDS = ("cpu", "cu126", "cu130", "rocm7.2")

# As much of PyTorch as the test of a new environment calls.
_TORCH = """
__version__ = {version!r}
class _Device:
    def is_available(self):
        return any(kind in __version__ for kind in ("+cu", "+rocm"))
    def get_device_name(self, index):
        return "Tiny GPU"
class _Apple:
    def is_available(self):
        return True
class backends:
    mps = _Apple()
cuda = _Device()
class ones:
    def __init__(self, *shape, device):
        self.shape = shape
    def __matmul__(self, other):
        return self
    def sum(self):
        return 64.0 ** 3
"""
_MODULES = {
    "numpy": ("numpy", ""),
    "diffusers": ("diffusers", "AutoencoderKL = UNet2DConditionModel = None"),
    "transformers": ("transformers", "Dinov2WithRegistersModel = None"),
    "safetensors": ("safetensors", ""),
    "huggingface_hub": ("huggingface_hub", ""),
    "httpx2": ("httpx2", ""),
    "pillow": ("PIL", ""),
    "einops": ("einops", ""),
    "spandrel": ("spandrel", ""),
}
_REQUIRED = {"spandrel": "Requires-Dist: torch\nRequires-Dist: torchvision\nRequires-Dist: einops\n"}


@dataclass
class TinyIndex:
    """`address` is the server's; `files` what it serves, by path; `asked` the paths that were asked for.

    `hashes` is the list of the hashes of its packages, but for PyTorch: a file that `put` keeps up to date.

    `cut`: paths whose answer breaks off in the middle. `held`: clear it to stop PyTorch in the middle until it is set.
    """

    hashes: Path
    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    asked: list[str] = field(default_factory=list[str])
    cut: set[str] = field(default_factory=set[str])
    held: threading.Event = field(default_factory=threading.Event)
    _listed: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def environment(self) -> dict[str, str]:
        """What lets pip and the installer know this index alone."""
        foreign = [name for name in os.environ if name.upper().startswith(("PIP_", "HTTP", "ALL_PROXY"))]
        kept = {name: value for name, value in os.environ.items() if name not in foreign}
        return {
            **kept,
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_TRUSTED_HOST": self.address.removeprefix("http://"),  # else pip keeps nothing that came without https
            "PIP_INDEX_URL": f"{self.address}/simple",
            "HI3DGEN_PYTORCH": f"{self.address}/whl",
            "HI3DGEN_HASHES": str(self.hashes),
            "NO_PROXY": "127.0.0.1",
        }

    def wheels_asked(self) -> list[str]:
        """The names of the wheels that were fetched."""
        return [path.rpartition("/")[2] for path in self.asked if path.endswith(".whl")]

    def put(self, folder: str, name: str, version: str, files: dict[str, str]) -> str:
        """Serve a package of these files in `folder`, with its hash on its page; returns the path of its wheel."""
        file = f"{name}-{version}-py3-none-any.whl"
        wheel = _wheel(name, version, files)
        digest = hashlib.sha256(wheel).hexdigest()
        path = f"/{folder}/files/{file}"
        self.files[path] = wheel
        page = f'<a href="{quote(path)}#sha256={digest}">{file}</a>'
        self.files[f"/{folder}/{name.replace('_', '-')}/"] = f"<!DOCTYPE html><html><body>{page}</body></html>".encode()
        if folder == "simple":
            self._listed[name] = f"{name}=={version} \\\n    --hash=sha256:{digest}\n"
            self.hashes.write_text("".join(self._listed.values()), encoding="utf-8")
        return path

    def put_torch(self, build: str, code: str = "") -> str:
        """Serve a build of PyTorch; `code` in place of what it does."""
        version = f"{pinned('torch')}+{build}"
        text = code or _TORCH.format(version=version)
        padding = f"text = '{'x' * 4_000_000}'"
        return self.put(f"whl/{build}", "torch", version, {"torch.py": text, "padding.py": padding})


@contextmanager
def serve() -> Generator[TinyIndex]:
    """An index with everything that the engine asks for."""
    folder = tempfile.TemporaryDirectory()
    index = TinyIndex(Path(folder.name) / "hashes.txt")
    index.held.set()
    for name, (module, code) in _MODULES.items():
        index.put("simple", name, pinned(name), {f"{module}.py": code})
    for build in BUILDS:
        index.put_torch(build)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(self.path)
            index.asked.append(path)
            content = index.files.get(path)
            if content is None:
                self.send_error(404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Type", "text/html" if path.endswith("/") else "application/octet-stream")
            if not path.endswith("/"):
                self.send_header("Cache-Control", "max-age=365000000, immutable, public")
            self.end_headers()
            middle = len(content) // 2
            self.wfile.write(content[:middle])
            if path not in index.cut:
                if path.startswith("/whl/") and path.endswith(".whl"):
                    index.held.wait(60)
                with contextlib.suppress(OSError):  # the client may have been interrupted
                    self.wfile.write(content[middle:])

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    index.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        index.held.set()
        server.shutdown()
        server.server_close()
        folder.cleanup()


def pinned(name: str) -> str:
    """The version in constraints.txt for this Python."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    newer = sys.version_info >= (3, 13)
    fitting = [
        line for line in lines if line.startswith(f"{name}==") and ("<" not in line if newer else ">" not in line)
    ]
    return fitting[0].partition(";")[0].partition("==")[2].strip()


def _wheel(name: str, version: str, content: dict[str, str]) -> bytes:
    info = f"{name}-{version}.dist-info"
    files = {
        **content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{_REQUIRED.get(name, '')}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return packed.getvalue()
