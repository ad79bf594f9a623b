# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads of the weights from a hub, by the real command line in a real process."""

import hashlib
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("huggingface_hub")

from huggingface_hub import hf_hub_download

from backend.weights import download
from backend.weights.catalogue import CONDITIONER, FOREGROUND, GUIDED, NORMALS, PACKAGES, SV3D_U
from tests.backend.weights.conftest import LARGE, Content, Place, tensors
from tests.backend.weights.hub import Fault, Hub

MODEL = "model.safetensors"
NAME = CONDITIONER.name
UNET = "unet/diffusion_pytorch_model.fp16.safetensors"  # of NORMALS, whose newest commit is taken


def unseen(_label: str, _done: int, _of: int) -> None:
    """Show no progress."""


def record_of(place: Place, name: str = NAME) -> dict[str, Any]:
    return json.loads((place.folder / name / "hi3dgen-record.json").read_text("utf-8"))


def test_everything_is_downloaded_recorded_and_verified(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    assert set(place.states().values()) == {"absent"}
    *steps, last = place.lines("download", "--agree")
    assert all(place.holds(package, contents[package.name]) for package in PACKAGES)
    assert last["finished"]
    assert {"label", "done", "of", "per_second", "unit"} == set(steps[0])
    size = sum(len(content) for package in PACKAGES for content in contents[package.name].values())
    assert [step for step in steps if step["done"] == step["of"] == size and step["unit"] == "bytes"]
    assert set(place.states().values()) == {"present"}
    record = record_of(place)
    assert record["revision"] == CONDITIONER.revision
    assert record_of(place, NORMALS.name)["revision"] == hub.repositories[NORMALS.repository].main
    assert record["files"][MODEL]["size"] == len(contents[NAME][MODEL])
    assert "verified against the hub's revision" in place.run("verify").stdout
    assert not [request for request in hub.seen if "authorization" in request.headers]


def test_some_packages_come_by_their_names_alone(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    states = {state["name"]: state["state"] for state in here.lines("list")[-1]["more"]}
    assert states[GUIDED.name] == "absent"
    assert f"{GUIDED.name}: absent" in here.run("list").stdout.partition("by name alone")[2]
    assert here.lines("download", "--agree", GUIDED.name)[-1]["finished"]
    assert here.holds(GUIDED, contents[GUIDED.name])
    assert set(here.states().values()) == {"absent"}
    assert "verified against the hub's revision" in here.run("verify").stdout


def test_nothing_is_asked_for_if_everything_is_here(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NAME)
    hub.seen.clear()
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert hub.seen == []


def test_nothing_is_downloaded_before_a_person_agrees(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    refused = place.run("download", NAME)
    assert refused.returncode == 1
    assert "Apache-2.0" in refused.stdout
    assert "400.1 kB" in refused.stdout or "400 kB" in refused.stdout
    assert "Nothing was downloaded" in refused.stderr
    assert not hub.asked(MODEL)
    assert place.states()[NAME] == "absent"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("answer", "state"), [("y\n", "present"), ("\n", "absent")])
def test_a_terminal_is_asked(hub: Hub, contents: dict[str, Content], place: Place, answer: str, state: str) -> None:
    ours, theirs = os.openpty()
    process = place.start("download", NAME, stdin=theirs)
    os.write(ours, answer.encode())
    stdout, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Download these under their licences?" in stdout
    assert place.states()[NAME] == state


def test_agree_does_not_agree_to_another_licence(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    hub.publish(CONDITIONER.repository, contents[NAME], "cc-by-nc-4.0")
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "licence-changed"
    assert not hub.asked(MODEL)


@pytest.mark.parametrize(("named", "error"), [("other", None), ("cc-by-nc-4.0", "licence-changed")])
def test_agree_knows_what_the_hub_calls_a_licence_without_a_name(
    hub: Hub, contents: dict[str, Content], here: Place, named: str, error: str | None
) -> None:
    package = SV3D_U
    hub.publish(package.repository, contents[package.name], named)
    assert here.lines("download", "--agree", package.name)[-1].get("error") == error


def test_a_licence_with_control_characters_is_not_shown(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    hub.publish(CONDITIONER.repository, contents[NAME], "mit”\n0 bytes to be downloaded\x1b[2J")
    refused = place.run("download", NAME)
    assert "its page names no licence" in refused.stdout
    assert "0 bytes to be downloaded\x1b" not in refused.stdout


def test_a_download_goes_on_after_a_broken_connection(
    hub: Hub, contents: dict[str, Content], here: Place, slept: list[float]
) -> None:
    hub.faults.append(Fault(MODEL, times=2, cut=150_000))
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])
    ranges = [request.headers.get("range") for request in hub.asked(MODEL) if "/cdn/" in request.path]
    assert ranges == [None, "bytes=150000-", "bytes=300000-"]
    assert slept == [1.0, 1.0]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_download_goes_on_after_its_process_ended(
    hub: Hub, contents: dict[str, Content], place: Place, how: signal.Signals
) -> None:
    hub.faults.append(Fault(MODEL, stall=150_000))
    process = place.start("download", "--agree", "--json", NAME)
    assert hub.stalled.wait(30)
    part = place.folder / NAME / ".partial"
    while not any(path.stat().st_size >= 100_000 for path in part.glob("*")):
        assert process.poll() is None
    process.send_signal(how)
    stdout, _ = process.communicate(timeout=60)
    assert process.returncode == (130 if how == signal.SIGINT else -how)
    if how == signal.SIGINT:
        assert json.loads(stdout.splitlines()[-1])["error"] == "cancelled"
    assert place.states()[NAME] == "partial"
    assert not (place.folder / NAME / MODEL).exists()
    begun = max(path.stat().st_size for path in part.glob("*"))
    first = place.lines("download", "--agree", NAME)[0]
    assert begun <= first["done"]
    assert hub.asked(MODEL)[-1].headers["range"] == f"bytes={begun}-"
    assert place.holds(CONDITIONER, contents[NAME])


def test_a_server_without_ranges_starts_anew(
    hub: Hub, contents: dict[str, Content], here: Place, slept: list[float]
) -> None:
    hub.faults += [Fault(MODEL, cut=150_000), Fault(MODEL, whole=True)]
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])


def test_two_downloads_at_once_are_refused(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    hub.faults.append(Fault(MODEL, stall=150_000))
    first = place.start("download", "--agree", NAME)
    assert hub.stalled.wait(30)
    assert place.lines("download", "--agree", FOREGROUND.name)[-1]["error"] == "weights-busy"
    assert place.lines("verify")[-1]["error"] == "weights-busy"
    first.kill()
    first.communicate()
    assert place.lines("download", "--agree", NAME)[-1]["finished"]


def test_a_pinned_commit_is_downloaded_whatever_is_newer(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    hub.publish(CONDITIONER.repository, {**contents[NAME], MODEL: tensors("newer")}, "apache-2.0")
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])
    assert record_of(here)["revision"] == CONDITIONER.revision
    assert here.lines("download", "--agree", "--update", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])


def test_another_commit_than_the_pinned_one_is_refused(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    path = f"/api/models/{CONDITIONER.repository}/revision/{CONDITIONER.revision}"
    siblings = [{"rfilename": name, "size": 1, "blobId": "0" * 40} for name in contents[NAME]]
    answer = {"id": CONDITIONER.repository, "sha": "1" * 40, "siblings": siblings, "tags": []}
    hub.faults.append(Fault(path, instead=(200, {"Content-Type": "application/json"}, json.dumps(answer).encode())))
    error = here.lines("download", "--agree", NAME)[-1]
    assert error["error"] == "hub-altered"
    assert CONDITIONER.revision[:12] in error["sentence"]


def test_the_recorded_revision_is_kept(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NORMALS.name)
    revision = record_of(here, NORMALS.name)["revision"]
    hub.publish(NORMALS.repository, {**contents[NORMALS.name], UNET: tensors("newer")}, "apache-2.0")
    (here.folder / NORMALS.name / UNET).unlink()
    assert here.states()[NORMALS.name] == "partial"
    here.run("download", "--agree", NORMALS.name)
    assert here.holds(NORMALS, contents[NORMALS.name])
    assert record_of(here, NORMALS.name)["revision"] == revision


def test_an_update_takes_the_newest_commit_and_only_what_changed(
    hub: Hub, contents: dict[str, Content], here: Place
) -> None:
    here.run("download", "--agree", NORMALS.name)
    newer = {**contents[NORMALS.name], UNET: tensors("newer")}
    revision = hub.publish(NORMALS.repository, newer, "apache-2.0")
    hub.seen.clear()
    assert here.lines("download", "--agree", "--update", NORMALS.name)[-1]["finished"]
    assert here.holds(NORMALS, newer)
    assert record_of(here, NORMALS.name)["revision"] == revision
    assert not hub.asked("config.json")


def test_an_update_takes_the_commit_that_the_catalogue_pins(
    hub: Hub, contents: dict[str, Content], here: Place
) -> None:
    older = hub.publish(CONDITIONER.repository, {**contents[NAME], MODEL: tensors("older")}, "apache-2.0")
    download.run(download.plan([replace(CONDITIONER, revision=older)], unseen), unseen)
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert record_of(here)["revision"] == older
    assert here.lines("download", "--agree", "--update", NAME)[-1]["finished"]
    assert record_of(here)["revision"] == CONDITIONER.revision
    assert here.holds(CONDITIONER, contents[NAME])


def test_an_update_that_breaks_off_leaves_no_mixture(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NORMALS.name)
    hub.publish(NORMALS.repository, {**contents[NORMALS.name], UNET: tensors("newer")}, "apache-2.0")
    hub.faults.append(Fault(UNET, instead=(404, {"X-Error-Code": "EntryNotFound"}, b"")))
    assert here.lines("download", "--agree", "--update", NORMALS.name)[-1]["error"] == "hub-lacks"
    (listed,) = here.lines("list")
    assert next(each for each in listed["packages"] if each["name"] == NORMALS.name)["missing"] == [UNET]


DAMAGES = {
    "half": b'{"format": 1, "repo',
    "empty": b"",
    "no text": b"\xff\xfe\x00",
    "nested": b'{"files":' * 100_000,
    "large": b" " * 2_000_000,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_download_writes_a_damaged_record_anew_and_keeps_whole_files(
    damage: str, hub: Hub, contents: dict[str, Content], here: Place
) -> None:
    here.run("download", "--agree", NAME)
    (here.folder / NAME / "hi3dgen-record.json").write_bytes(DAMAGES[damage])
    assert here.states()[NAME] == "damaged"
    hub.seen.clear()
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert not hub.asked(MODEL)
    assert here.states()[NAME] == "present"
    assert record_of(here)["revision"] == CONDITIONER.revision


@pytest.mark.skipif(sys.platform == "win32", reason="Windows makes links only for some")
def test_planted_links_are_not_written_through(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    target = here.folder / "target"
    digest = hashlib.sha256(contents[NAME][MODEL]).hexdigest()
    names = ("config.json", MODEL, "hi3dgen-record.json", f".partial/{digest}")
    for name in names:
        path = here.folder / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    target.write_text("precious")
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert target.read_text() == "precious"
    assert here.holds(CONDITIONER, contents[NAME])
    assert not any((here.folder / NAME / name).is_symlink() for name in names)


def test_a_token_is_sent_only_if_one_is_set_and_only_to_the_hub(
    hub: Hub, contents: dict[str, Content], here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    here.run("download", "--agree", NAME)
    tokens = {(request.headers["host"], request.headers.get("authorization")) for request in hub.seen}
    address, elsewhere = (url.removeprefix("http://") for url in (hub.address, hub.elsewhere))
    assert tokens == {(address, "Bearer hf_mine"), (elsewhere, None)}


def test_a_copy_made_by_hand_works_and_is_completed(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    folder = here.folder / NAME
    folder.mkdir(parents=True)
    for name, content in contents[NAME].items():
        (folder / name).write_bytes(content)
    assert here.states()[NAME] == "present"
    assert hub.seen == []
    (folder / MODEL).write_bytes(tensors("another"))
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, contents[NAME])
    assert not hub.asked("config.json")


@pytest.mark.parametrize("names", [("config.json", MODEL), (MODEL,)], ids=["whole", "in part"])
def test_the_shared_cache_spares_the_download(
    hub: Hub, contents: dict[str, Content], here: Place, names: tuple[str, ...]
) -> None:
    for name in names:
        hf_hub_download(CONDITIONER.repository, name, endpoint=hub.address, revision=CONDITIONER.revision)
    hub.seen.clear()
    assert here.lines("download", "--agree", "--hub-cache", NAME)[-1]["finished"]
    assert bool(hub.seen) is (len(names) == 1)
    assert not hub.asked(MODEL)
    assert here.holds(CONDITIONER, contents[NAME])
    assert "verified against the hub's revision" in here.run("verify").stdout
    cached = next((Path(here.environment["HF_HOME"]) / "hub").rglob(MODEL)).resolve()
    assert cached.samefile(here.folder / NAME / MODEL) or sys.platform == "win32"
    assert cached.stat().st_size > LARGE


def test_a_folder_in_place_of_a_cached_file_is_an_error_and_leaves_nothing_beside(
    hub: Hub, contents: dict[str, Content], here: Place
) -> None:
    hf_hub_download(CONDITIONER.repository, MODEL, endpoint=hub.address, revision=CONDITIONER.revision)
    (here.folder / NAME / MODEL / "in it").mkdir(parents=True)
    assert here.lines("download", "--agree", "--hub-cache", NAME)[-1]["error"] == "weights-folder-closed"
    assert [path.name for path in (here.folder / NAME).iterdir()] == [MODEL]
