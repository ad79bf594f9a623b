# SPDX-License-Identifier: GPL-3.0-or-later
"""The way of the weights from a hub onto this machine, by the real command line in a real process."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("huggingface_hub")

from huggingface_hub import hf_hub_download

from backend.weights.catalogue import CONDITIONER, FOREGROUND, PACKAGES
from tests.backend.weights.conftest import LARGE, Content, Place, tensors
from tests.backend.weights.hub import Fault, Hub

MODEL = "model.safetensors"
NAME = CONDITIONER.name


def record_of(place: Place, name: str = NAME) -> dict[str, Any]:
    return json.loads((place.folder / name / "hi3dgen-record.json").read_text("utf-8"))


def test_everything_comes_and_is_recorded_and_verified(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    assert set(place.states().values()) == {"absent"}
    *steps, last = place.lines("download", "--agree")
    assert all(place.holds(package, contents[package.name]) for package in PACKAGES)
    assert last["finished"]
    assert {"label", "done", "of", "per_second", "unit"} == set(steps[0])
    size = sum(len(content) for files in contents.values() for content in files.values())
    assert [step for step in steps if step["done"] == step["of"] == size and step["unit"] == "bytes"]
    assert set(place.states().values()) == {"present"}
    record = record_of(place)
    assert record["revision"] == hub.repositories[CONDITIONER.repository].main
    assert record["files"][MODEL]["size"] == len(contents[NAME][MODEL])
    assert "verified against the hub's revision" in place.run("verify").stdout
    assert not [request for request in hub.seen if "authorization" in request.headers]


def test_what_is_here_is_not_asked_for_again(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NAME)
    hub.seen.clear()
    assert here.lines("download", "--agree", NAME)[-1]["finished"]
    assert hub.seen == []


def test_nothing_comes_before_one_agreed(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    refused = place.run("download", NAME)
    assert refused.returncode == 1
    assert "Apache-2.0" in refused.stdout
    assert "400.1 kB" in refused.stdout or "400 kB" in refused.stdout
    assert "Nothing was downloaded" in refused.stderr
    assert not hub.asked(MODEL)
    assert place.states()[NAME] == "absent"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals")
@pytest.mark.parametrize(("answer", "state"), [("y\n", "present"), ("\n", "absent")])
def test_on_a_terminal_the_question_is_asked(
    hub: Hub, contents: dict[str, Content], place: Place, answer: str, state: str
) -> None:
    ours, theirs = os.openpty()
    process = place.start("download", NAME, stdin=theirs)
    os.write(ours, answer.encode())
    stdout, _ = process.communicate(timeout=60)
    os.close(ours)
    os.close(theirs)
    assert "Download these under their licences?" in stdout
    assert place.states()[NAME] == state


def test_who_agreed_beforehand_did_not_agree_to_another_licence(
    hub: Hub, contents: dict[str, Content], here: Place
) -> None:
    hub.publish(CONDITIONER.repository, contents[NAME], "cc-by-nc-4.0")
    assert here.lines("download", "--agree", NAME)[-1]["error"] == "licence-changed"
    assert not hub.asked(MODEL)


def test_a_connection_that_breaks_is_gone_on_with(
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
def test_a_process_that_ends_is_gone_on_with(
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


def test_two_at_once_do_not_meddle(hub: Hub, contents: dict[str, Content], place: Place) -> None:
    hub.faults.append(Fault(MODEL, stall=150_000))
    first = place.start("download", "--agree", NAME)
    assert hub.stalled.wait(30)
    assert place.lines("download", "--agree", FOREGROUND.name)[-1]["error"] == "weights-busy"
    assert place.lines("verify")[-1]["error"] == "weights-busy"
    first.kill()
    first.communicate()
    assert place.lines("download", "--agree", NAME)[-1]["finished"]


def test_the_revision_that_came_first_is_held_to(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NAME)
    revision = record_of(here)["revision"]
    hub.publish(CONDITIONER.repository, {**contents[NAME], MODEL: tensors("newer")}, "apache-2.0")
    (here.folder / NAME / MODEL).unlink()
    assert here.states()[NAME] == "partial"
    here.run("download", "--agree", NAME)
    assert here.holds(CONDITIONER, contents[NAME])
    assert record_of(here)["revision"] == revision


def test_an_update_brings_what_changed_and_no_more(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NAME)
    newer = {**contents[NAME], MODEL: tensors("newer")}
    revision = hub.publish(CONDITIONER.repository, newer, "apache-2.0")
    hub.seen.clear()
    assert here.lines("download", "--agree", "--update", NAME)[-1]["finished"]
    assert here.holds(CONDITIONER, newer)
    assert record_of(here)["revision"] == revision
    assert not hub.asked("config.json")


def test_an_update_that_breaks_off_leaves_no_mixture(hub: Hub, contents: dict[str, Content], here: Place) -> None:
    here.run("download", "--agree", NAME)
    hub.publish(CONDITIONER.repository, {**contents[NAME], MODEL: tensors("newer")}, "apache-2.0")
    hub.faults.append(Fault(MODEL, instead=(404, {"X-Error-Code": "EntryNotFound"}, b"")))
    assert here.lines("download", "--agree", "--update", NAME)[-1]["error"] == "hub-lacks"
    (listed,) = here.lines("list")
    assert next(package for package in listed["packages"] if package["name"] == NAME)["missing"] == [MODEL]


def test_a_token_is_sent_only_where_one_is_set_and_only_to_the_hub(
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
        hf_hub_download(CONDITIONER.repository, name, endpoint=hub.address)
    hub.seen.clear()
    assert here.lines("download", "--agree", "--hub-cache", NAME)[-1]["finished"]
    assert bool(hub.seen) is (len(names) == 1)
    assert not hub.asked(MODEL)
    assert here.holds(CONDITIONER, contents[NAME])
    assert "verified against the hub's revision" in here.run("verify").stdout
    cached = next((Path(here.environment["HF_HOME"]) / "hub").rglob(MODEL)).resolve()
    assert cached.samefile(here.folder / NAME / MODEL) or sys.platform == "win32"
    assert cached.stat().st_size > LARGE
