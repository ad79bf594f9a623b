# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of hashes covers what the engine requires, in the versions that constraints.txt pins."""

import os
import re
import sys
from pathlib import Path

import pytest

from backend.errors import UserError
from backend.install.pins import HASHES, WITHOUT, package, read_hashes, read_pins, read_requirements
from backend.install.plan import PYTHONS, ROOT, make_plan

ENTRIES = read_hashes((ROOT / HASHES).read_text("utf-8"))
VERSIONS = [(3, minor) for minor in range(PYTHONS[0][1], PYTHONS[1][1] + 1)]


def test_every_entry_is_an_exact_pin_with_hashes() -> None:
    assert len(ENTRIES) > 40
    pins = {pin for version in VERSIONS for pin in read_pins(ROOT, version)}
    for name, entry in ENTRIES:
        lines = entry.splitlines()
        pin = lines[0].partition(" ")[0]
        assert package(pin) == name
        assert pin in pins, f"{pin}: run scripts/pin_hashes.py"
        assert len(lines) > 1
        assert all(re.fullmatch(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?", line) for line in lines[1:])


@pytest.mark.parametrize("version", VERSIONS)
def test_everything_that_the_engine_requires_is_listed(version: tuple[int, int]) -> None:
    always, named = read_requirements(ROOT)
    pins = {package(pin): pin for pin in read_pins(ROOT, version)}
    listed = {entry.partition(" ")[0] for _, entry in ENTRIES}
    assert {pins[package(line)] for line in (*always, *named["hi3dgen"], *named["alone"])} <= listed, (
        "run scripts/pin_hashes.py"
    )


def test_what_is_installed_alone_is_known_and_brings_along_what_is_left_out_nowhere() -> None:
    always, named = read_requirements(ROOT)
    assert {package(line) for line in named["alone"]} == {*WITHOUT}
    left_out = {name for names in WITHOUT.values() for name in names}
    wanted = {package(line) for lines in (always, *named.values()) for line in lines}
    assert left_out.isdisjoint({*wanted, *(name for name, _ in ENTRIES)})


def test_pytorch_is_listed_for_macos_alone() -> None:
    (entry,) = (entry for name, entry in ENTRIES if name == "torch")
    assert 'sys_platform == "darwin"' in entry.splitlines()[0]


def test_another_list_of_hashes_makes_another_environment(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    if sys.platform == "darwin":
        pytest.skip("macOS has another build")
    first = make_plan("cpu").name
    path = tmp_path_factory.mktemp("own") / "hashes.txt"
    path.write_text("numpy==1 --hash=sha256:00\n")
    monkeypatch.setenv("HI3DGEN_HASHES", str(path))
    assert make_plan("cpu").name != first


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes on the disk")
def test_a_list_of_hashes_that_cannot_be_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "bytes").write_bytes(b"\xff")
    for name, reason in (("pipe", "it is not a file"), ("none", "No such file"), ("bytes", "can't decode byte")):
        monkeypatch.setenv("HI3DGEN_HASHES", str(tmp_path / name))
        with pytest.raises(UserError, match=f"{name} cannot be read: .*{reason}"):
            make_plan()


def test_a_password_in_an_address_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    own = "https://who:secr@t@example.invalid/simple"
    assert make_plan(index=own).hosts == ["https://example.invalid/simple"]
    assert make_plan(index=own).index_options[-1] == own
    monkeypatch.setenv("PIP_INDEX_URL", own)
    monkeypatch.setenv("HI3DGEN_PYTORCH", "https://token@example.invalid/torch")
    hosts = make_plan().hosts
    assert hosts[0] == "https://example.invalid/simple"
    assert "token" not in " ".join(hosts)
