# SPDX-License-Identifier: GPL-3.0-or-later
"""A hub on this machine: as much of huggingface.co as huggingface_hub and the download need, and what goes wrong there.

    with Hub() as hub:
        hub.publish("Stable-X/trellis-normal-v0-1", {"pipeline.json": b"{}", "ckpts/a.safetensors": bytes})
        hub.publish_folder("facebook/dinov2-with-registers-large", folder)  # each file by its path below the folder
        command = [sys.executable, "-m", "backend", "weights", "download", "--agree"]
        subprocess.run(command, env=os.environ | hub.environment, check=True)

`publish` returns the revision (a commit's hash); the last one published is "main", the others stay. Files named
*.safetensors are as large files are on the hub: known by their SHA-256, and served by way of a redirect
to another host. `hub.faults` takes what is to go wrong, `hub.seen` holds the requests.
"""

import hashlib
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self
from urllib.parse import unquote, urlsplit


@dataclass
class Fault:
    """Goes wrong with the next `times` answers to requests for paths that end with `path`.

    instead: status, headers and body of another answer. other: other bytes of the file.
    cut: the connection breaks after so many bytes of the body. stall: after so many bytes nothing more comes.
    whole: a request for a range is answered with the whole file.
    """

    path: str
    times: int = 1
    instead: tuple[int, dict[str, str], bytes] | None = None
    other: bytes | None = None
    cut: int | None = None
    stall: int | None = None
    whole: bool = False


@dataclass(frozen=True)
class Request:
    """A request that came."""

    method: str
    path: str
    headers: dict[str, str]


@dataclass
class Repository:
    """A model's repository: its licence, and the files of each revision."""

    licence: str = "mit"
    revisions: dict[str, dict[str, bytes]] = field(default_factory=dict)

    @property
    def main(self) -> str:
        """The newest revision."""
        return list(self.revisions)[-1]


class Hub:
    """The hub; a context that serves on 127.0.0.1 while it lasts."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.faults: list[Fault] = []
        self.seen: list[Request] = []
        self.stalled = threading.Event()
        self._ended = threading.Event()
        hub = self

        class Handler(_Handler):
            pass

        Handler.hub = hub
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self.elsewhere = f"http://localhost:{self._server.server_port}"
        self.environment = {
            "HF_ENDPOINT": self.address,
            "NO_PROXY": "127.0.0.1,localhost",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }

    def publish(self, repository: str, files: Mapping[str, bytes], licence: str = "mit", revision: str = "") -> str:
        """Make `files` the newest revision of `repository`, by its name or one of their own, and return the name."""
        known = self.repositories.setdefault(repository, Repository())
        known.licence = licence
        listing = "".join(f"{name} {_sha256(content)}\n" for name, content in sorted(files.items()))
        own = hashlib.sha1(f"{len(known.revisions)} {listing}".encode(), usedforsecurity=False).hexdigest()
        revision = revision or own
        known.revisions[revision] = dict(files)
        return revision

    def publish_folder(self, repository: str, folder: Path, licence: str = "mit") -> str:
        """Make the files below `folder` the newest revision of `repository`, and return its name."""
        paths = [path for path in folder.rglob("*") if path.is_file()]
        files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
        return self.publish(repository, files, licence)

    def asked(self, name: str) -> list[Request]:
        """The requests for paths that end with `name`."""
        return [request for request in self.seen if request.path.endswith(name)]

    def fault(self, path: str) -> Fault | None:
        """What goes wrong with this answer."""
        for fault in self.faults:
            if fault.times > 0 and path.endswith(fault.path):
                return fault
        return None

    def stall(self) -> None:
        """Keep a connection silent until the hub ends."""
        self.stalled.set()
        self._ended.wait(60)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it overrides
        """Stay silent."""

    def _serve(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.seen.append(Request(self.command, path, {name.lower(): value for name, value in self.headers.items()}))
        parts = path.strip("/").split("/")
        fault = self.hub.fault(path)
        if fault and fault.instead:
            fault.times -= 1
            self._answer(*fault.instead)
        elif parts[:2] == ["api", "models"]:
            self._describe("/".join(parts[2:4]), parts[5] if parts[4:5] == ["revision"] else "main")
        elif parts[2:3] == ["resolve"]:
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        elif parts[:1] == ["cdn"]:
            self._send("/".join(parts[1:3]), parts[3], "/".join(parts[4:]))
        else:
            self._answer(404, {}, b"")

    def _describe(self, name: str, revision: str) -> None:
        """What the hub's API answers about a model."""
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self._answer(404, {"X-Error-Code": "RepoNotFound"}, b"")
        revision = repository.main if revision == "main" else revision
        if revision not in repository.revisions:
            return self._answer(404, {"X-Error-Code": "RevisionNotFound"}, b"")
        siblings = [_sibling(file, content) for file, content in repository.revisions[revision].items()]
        card = {"license": repository.licence} if repository.licence else {}
        about = {"id": name, "modelId": name, "sha": revision, "siblings": siblings, "cardData": card, "tags": []}
        return self._answer(200, {"Content-Type": "application/json"}, json.dumps(about).encode())

    def _resolve(self, name: str, revision: str, file: str) -> None:
        """A file by its address: the file itself, or for a large one a redirect."""
        repository = self.hub.repositories.get(name)
        if repository is None:
            return self._answer(404, {"X-Error-Code": "RepoNotFound"}, b"")
        revision = repository.main if revision == "main" else revision
        if revision not in repository.revisions:
            return self._answer(404, {"X-Error-Code": "RevisionNotFound"}, b"")
        if file not in repository.revisions[revision]:
            return self._answer(404, {"X-Error-Code": "EntryNotFound"}, b"")
        if not _is_large(file):
            return self._send(name, revision, file)
        content = repository.revisions[revision][file]
        about = {
            "X-Repo-Commit": revision,
            "X-Linked-Etag": f'"{_sha256(content)}"',
            "X-Linked-Size": str(len(content)),
            "Location": f"{self.hub.elsewhere}/cdn/{name}/{revision}/{file}",
        }
        return self._answer(302, about, b"")

    def _send(self, name: str, revision: str, file: str) -> None:
        """A file's bytes, or the rest of them after the place that the request names."""
        content = self.hub.repositories[name].revisions[revision][file]
        etag = _sha256(content) if _is_large(file) else _git(content)
        headers = {"ETag": f'"{etag}"', "X-Repo-Commit": revision, "Content-Type": "application/octet-stream"}
        fault = self.hub.fault(file) if self.command == "GET" else None
        if fault:
            fault.times -= 1
            content = content if fault.other is None else fault.other
        asked = self.headers.get("Range", "")
        if asked and not (fault and fault.whole):
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._answer(206, headers, content[start:], fault)
        else:
            self._answer(200, headers, content, fault)

    def _answer(self, status: int, headers: Mapping[str, str], body: bytes, fault: Fault | None = None) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if fault and fault.cut is not None:
            self.wfile.write(body[: fault.cut])
            self.close_connection = True
        elif fault and fault.stall is not None:
            self.wfile.write(body[: fault.stall])
            self.hub.stall()
            self.close_connection = True
        else:
            self.wfile.write(body)


def _sibling(file: str, content: bytes) -> dict[str, object]:
    about: dict[str, object] = {"rfilename": file, "size": len(content), "blobId": _git(content)}
    if _is_large(file):
        about["lfs"] = {"sha256": _sha256(content), "size": len(content), "pointerSize": 134}
    return about


def _is_large(file: str) -> bool:
    return file.endswith(".safetensors")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _git(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
