# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on which a person labels objects, over HTTP as a browser does."""

import http.client
import json
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backend.detailverse.labels import Labels, labels_of
from backend.detailverse.page import LabelServer

NAMES = ("a", "b c", "ü")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LabelServer]:
    views = {name: tmp_path / f"{name}.jpg" for name in NAMES}
    for name, path in views.items():
        path.write_bytes(name.encode())
    with LabelServer(views, Labels(tmp_path / "labels.jsonl")) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def ask(server: LabelServer, path: str, body: Any = None, **headers: str) -> tuple[int, bytes, http.client.HTTPMessage]:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=20)
    data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    connection.request("GET" if data is None else "POST", path, data, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read(), answer.headers
    connection.close()
    return found


def test_the_page_loads_nothing_from_elsewhere(server: LabelServer) -> None:
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/[\w-]{32}/", server.address)
    status, page, headers = ask(server, f"/{server.token}/")
    assert status == 200
    assert b"http" not in page.replace(b"http-equiv", b""), "no address but its own"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    status, listed, _ = ask(server, f"/{server.token}/objects.json")
    assert status == 200
    assert sorted(each["name"] for each in json.loads(listed)) == [*NAMES]
    assert ask(server, f"/{server.token}/views/b%20c.jpg")[:2] == (200, b"b c")
    assert ask(server, f"/{server.token}/views/%C3%BC.jpg")[:2] == (200, "ü".encode())


def test_a_label_is_on_the_disk_when_the_page_hears_of_it(server: LabelServer, tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    for name, keep in (("a", True), ("b c", False), ("ü", False), ("a", False), ("ü", None)):
        assert ask(server, f"/{server.token}/label", {"name": name, "keep": keep})[0] == 200
    assert len(path.read_text("utf-8").splitlines()) == 5
    assert labels_of(path) == {"a": False, "b c": False}
    listed = json.loads(ask(server, f"/{server.token}/objects.json")[1])
    assert {each["name"]: each["keep"] for each in listed} == {"a": False, "b c": False, "ü": None}
    with path.open("a", encoding="utf-8") as file:
        file.write('{"name": "a", "ke')  # a killed process leaves half a line
    again = Labels(path)
    assert again.given == {"a": False, "b c": False}
    again.give("a", keep=True)
    assert labels_of(path) == {"a": True, "b c": False}


def test_who_does_not_know_the_secret_gets_nothing(server: LabelServer, tmp_path: Path) -> None:
    wrong = "x" * len(server.token)
    for path in ("/", "//", "/label", f"/{wrong}/", f"/{wrong}/objects.json", f"/{server.token}"):
        assert ask(server, path)[0] == 404
    assert ask(server, f"/{wrong}/label", {"name": "a", "keep": True})[0] == 404
    assert ask(server, f"/{server.token}/", Host="evil.example")[0] == 404, "a name that was bound to this address"
    assert not (tmp_path / "labels.jsonl").exists()


def test_what_is_no_label_is_refused(server: LabelServer, tmp_path: Path) -> None:
    address = f"/{server.token}/label"
    no_labels: list[Any] = [
        *(b"{", b"[" * 9000, [], {"name": "a"}, {"name": "other", "keep": True}),
        *({"name": "a", "keep": 1}, {"name": ["a"], "keep": True}),
    ]
    for body in no_labels:
        assert ask(server, address, body)[0] == 400, body
    assert ask(server, address, b" " * 20_000)[0] == 413
    assert ask(server, f"/{server.token}/views/..%2Fa.jpg")[0] == 404
    assert ask(server, f"/{server.token}/views/none.jpg")[0] == 404
    assert not (tmp_path / "labels.jsonl").exists()
