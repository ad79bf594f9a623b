# SPDX-License-Identifier: GPL-3.0-or-later
"""What can go wrong in a download: each ends in a plain sentence, and no half file is taken for a whole one."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("huggingface_hub")

from backend.errors import Cancelled, UserError
from backend.weights import disk, download, store
from backend.weights.catalogue import CONDITIONER
from tests.backend.weights.conftest import LARGE, ROOT, Content, Place, tensors
from tests.backend.weights.hub import Fault, Hub

MODEL = "model.safetensors"
NAME = CONDITIONER.name
REPOSITORY = CONDITIONER.repository
API = f"/api/models/{REPOSITORY}/revision/{CONDITIONER.revision}"
PAGE = b"<html><body>Sign in to the guest network</body></html>"
HTML = (200, {"Content-Type": "text/html; charset=utf-8"}, PAGE)


def refusal(status: int, code: str = "") -> tuple[int, dict[str, str], bytes]:
    return status, {"X-Error-Code": code} if code else {}, b""


ANSWERS = {
    "a sign-in page instead of the hub": (API, HTML, "not-the-hub"),
    "a sign-in page instead of a file": (MODEL, HTML, "not-the-hub"),
    "another service's JSON": (API, (200, {"Content-Type": "application/json"}, b"[1]"), "not-the-hub"),
    "no such repository": (API, refusal(401), "hub-lacks"),
    "the repository is gone": (API, refusal(404, "RepoNotFound"), "hub-lacks"),
    "the file is gone": (MODEL, refusal(404, "EntryNotFound"), "hub-lacks"),
    "terms to agree to": (MODEL, refusal(403, "GatedRepo"), "hub-gated"),
    "forbidden": (MODEL, refusal(403), "hub-refused"),
    "the hub is down": (API, refusal(503), "hub-refused"),
    "the hub goes down": (MODEL, refusal(502), "hub-refused"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_another_answer_than_a_file_is_an_error(
    case: str, hub: Hub, contents: dict[str, Content], here: Place, slept: list[float]
) -> None:
    path, answer, code = ANSWERS[case]
    hub.faults.append(Fault(path, times=9, instead=answer))
    error = here.lines("download", "--agree", NAME)[-1]
    assert error["error"] == code
    assert error["sentence"].endswith(".")
    assert error["advice"].endswith(".")
    assert not (here.folder / NAME / MODEL).exists()
    hub.faults.clear()
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])


def test_a_person_gets_a_sentence_and_a_program_an_exit_code(hub: Hub, place: Place) -> None:
    done = place.run("download", "--agree", NAME)
    assert done.returncode == 1
    assert done.stderr.startswith(f"The repository {REPOSITORY} on {hub.address} is not there")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("digest", ["", "../../../../somewhere", "A" * 64])
def test_an_invalid_hash_is_refused(digest: str, hub: Hub, contents: dict[str, Content], here: Place) -> None:
    siblings = [
        {"rfilename": "config.json", "size": 2, "blobId": "9e26dfeeb6e641a33dae4961196235bdb965b21b"},
        {"rfilename": MODEL, "size": 9, "blobId": "", "lfs": {"sha256": digest, "size": 9, "pointerSize": 1}},
    ]
    info = {"id": REPOSITORY, "sha": "0" * 40, "siblings": siblings, "tags": []}
    hub.faults.append(Fault(API, instead=(200, {"Content-Type": "application/json"}, json.dumps(info).encode())))
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "not-the-hub"


def test_an_invalid_token_is_an_error(
    hub: Hub, contents: dict[str, Content], here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_old")
    hub.faults.append(Fault(API, instead=refusal(401)))
    assert "HF_TOKEN" in here.lines("download", "--agree", NAME)[-1]["sentence"]
    monkeypatch.setenv("HF_TOKEN", "hf_\u00fc")
    assert "HF_TOKEN" in here.lines("download", "--agree", NAME)[-1]["sentence"]


def test_no_network_is_an_error(here: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.__exit__()
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "no-network"
    monkeypatch.setenv("HF_ENDPOINT", "mirror without a scheme")
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "no-network"


@pytest.mark.parametrize("address", ["http://[::1", "http://127.0.0.1:99999999"])
def test_what_cannot_be_an_address_is_an_error(address: str, place: Place) -> None:
    place.environment["HF_ENDPOINT"] = address
    refused = place.run("download", "--agree", NAME)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"HF_ENDPOINT is “{address}”, which is no address")
    assert refused.stderr.count("\n") == 1


def test_a_password_in_an_address_is_not_shown(here: Place, hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.__exit__()
    monkeypatch.setenv("HF_ENDPOINT", hub.address.replace("://", "://who:secret@"))
    sentence = here.lines("download", "--agree", NAME)[-1]["sentence"]
    assert hub.address in sentence
    assert "secret" not in sentence


def test_a_lost_network_is_waited_for(hub: Hub, contents: dict[str, Content], here: Place, slept: list[float]) -> None:
    hub.faults += [Fault(MODEL, cut=150_000), Fault(MODEL, times=9, cut=0)]
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "no-network"
    assert slept == [1.0, 2.0, 4.0, 8.0]
    assert here.states()[NAME] == "partial"


def test_an_altered_file_is_deleted(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    hub.faults.append(Fault(MODEL, other=tensors("altered")))
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "weights-damaged"
    assert not (here.folder / NAME / MODEL).exists()
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])


def test_a_file_that_ends_too_early_stays_partial(
    hub: Hub, contents: dict[str, Content], here: Place, slept: list[float]
) -> None:
    hub.faults.append(Fault(MODEL, other=contents[NAME][MODEL][:-1], times=9))
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "no-network"
    assert not (here.folder / NAME / MODEL).exists()


def test_bytes_beyond_the_listed_size_are_dropped(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    hub.faults.append(Fault(MODEL, other=contents[NAME][MODEL] + b"more"))
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full, the disk that is always full")
def test_a_full_disk_is_a_user_error() -> None:
    with pytest.raises(UserError, match="No space left on device") as caught, disk.user_errors():
        Path("/dev/full").write_bytes(b"a byte")
    assert caught.value.code == "disk-full"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows limits no file's size")
def test_a_file_too_large_for_the_disk_is_an_error(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    command = ["bash", "-c", 'ulimit -f 200; exec "$@"', "-", sys.executable, "-m", "backend", "weights", "download"]
    done = subprocess.run(
        [*command, "--agree", "--json", NAME],
        cwd=ROOT,
        env=place.environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout.splitlines()[-1])["error"] == "disk-full"
    assert place.states()[NAME] == "partial"
    assert place.lines("download", "--agree", NAME)[-1]["finished"]
    assert place.holds(CONDITIONER, contents[NAME])


def test_too_little_space_is_an_error_before_the_first_byte(
    hub: Hub, contents: dict[str, Content], here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def little(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=LARGE - 1)

    monkeypatch.setattr(shutil, "disk_usage", little)
    error = here.lines("download", "--agree", NAME)[-1]
    assert error["error"] == "disk-full"
    assert not hub.asked(MODEL)


def test_a_cancelled_download_keeps_what_came(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    def report(label: str, done: int, of: int) -> None:
        if label == "Downloading the weights" and done > of // 2:
            raise Cancelled

    downloads = download.plan([CONDITIONER], report)
    with pytest.raises(Cancelled):
        download.run(downloads, report)
    assert store.status(CONDITIONER).state == "partial"
    (rest,) = download.plan([CONDITIONER], report)
    assert rest.begun > LARGE // 2
    download.run([rest], lambda _label, _done, _of: None)
    assert store.find(CONDITIONER) == here.folder / NAME


def test_a_file_in_place_of_the_folder_is_an_error(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.folder.write_text("a file")
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "weights-folder-closed"
    assert here.states()[NAME] == "absent"


def test_a_python_without_the_engine_says_so(
    here: Place, monkeypatch: pytest.MonkeyPatch, contents: dict[str, Content]
) -> None:
    monkeypatch.delitem(sys.modules, "backend.weights.download")
    monkeypatch.delattr("backend.weights.download")
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for module in ("hub", "hub_cache", "transfer"):
        monkeypatch.delitem(sys.modules, f"backend.weights.{module}")
        monkeypatch.delattr(f"backend.weights.{module}")
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "engine-missing"
