# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments made by the real command line from a tiny index, and everything that can go wrong."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from backend.commands.progress import ProgressBar
from backend.folders import DOWNLOADS, IN_USE, INSTALL_LOG, STAMP
from backend.install.environments import Environments
from tests.backend.install.conftest import Installer
from tests.backend.install.test_builds import nvidia_smi
from tests.backend.install.tiny_index import ROOT, TinyIndex, pinned

TORCH = pinned("torch")


def test_an_installation_makes_an_environment_that_works(made: tuple[Installer, list[dict[str, Any]]]) -> None:
    installer, lines = made
    done = lines[-1]["installed"]
    assert (done["torch"], done["device"], done["build"]) == (f"{TORCH}+cpu", "CPU", "cpu")
    assert installer.torch() == f"{TORCH}+cpu"
    assert installer.pointer() == {
        "name": done["name"],
        "python": Environments(installer.user).python(done["name"]).relative_to(installer.user).as_posix(),
        "previous": "",
    }
    assert not (installer.user / DOWNLOADS).exists(), "what was downloaded is not kept twice"
    labels = [line["label"] for line in lines[:-1]]
    order = ["Making the environment", "Unpacking packages", "Downloading torch", "Testing"]
    assert [label for label in dict.fromkeys(labels) if label in order] == order
    torch = [line for line in lines[:-1] if line["label"] == "Downloading torch"]
    assert torch[-1]["done"] == torch[-1]["of"] > 3_000_000
    assert torch[-1]["unit"] == "bytes"
    unpacking = [line for line in lines[:-1] if line["label"] == "Unpacking packages"]
    assert {line["unit"] for line in unpacking} == {"steps"}
    assert {line["of"] for line in unpacking if line["done"] == line["of"]} == {9, 1}, "all the others, then PyTorch"


def test_no_host_is_asked_before_a_person_agrees(fresh: Installer) -> None:
    assert fresh.run("--torch", "cpu")[-1]["error"] == "not-agreed"
    plan = fresh.run("--plan", "--torch", "cu126")[-1]
    assert plan["hosts"] == [f"{fresh.index.address}/simple", f"{fresh.index.address}/whl/cu126"]
    assert f"torch=={TORCH}+cu126" in plan["packages"]
    assert plan["download_bytes"] > 2e9
    assert any("CUDA" in part for part, _, _ in plan["licences"])
    assert fresh.index.asked == []
    assert not fresh.user.exists()


def test_a_second_installation_tests_and_downloads_nothing(installer: Installer) -> None:
    assert installer.run("--plan", "--torch", "cpu")[-1]["up_to_date"] is True
    before = installer.pointer()
    assert "finished" in installer.run("--torch", "cpu", "--agree")[-1]
    assert installer.index.asked == []
    assert installer.pointer() == before


@pytest.mark.slow
def test_an_upgrade_is_made_beside_for_the_gpu_here_and_can_be_rolled_back(
    installer: Installer, tmp_path: Path
) -> None:
    first = installer.pointer()["name"]
    nvidia_smi(tmp_path, ["NVIDIA GeForce GTX 1060, 560.35.03, 6.1, 6144"])
    installer.environment["PATH"] = f"{tmp_path}{os.pathsep}{installer.environment['PATH']}"
    made = installer.run("--agree")[-1]["installed"]
    assert made["device"] == "Tiny GPU"
    assert installer.torch() == f"{TORCH}+cu126"
    asked = [path for path in installer.index.asked if "torch" in path and path != "/simple/torch/"]
    assert asked == ["/whl/cu126/torch/", f"/whl/cu126/files/torch-{TORCH}+cu126-py3-none-any.whl"]
    assert installer.names() == {first, made["name"]}

    assert installer.run("--rollback")[-1]["installed"]["name"] == first
    assert installer.torch() == f"{TORCH}+cpu"
    assert installer.pointer()["previous"] == made["name"]

    assert installer.run("--remove")[-1]["removed"] is True
    assert not (installer.user / IN_USE).exists()
    assert installer.names() == set()
    assert installer.run("--rollback")[-1]["error"] == "nothing-before"


@pytest.mark.slow
def test_an_environment_that_fails_its_test_is_not_used(installer: Installer) -> None:
    before, names = installer.pointer(), installer.names()
    installer.index.put_torch("cu130", "raise ImportError('libcudart.so.13: cannot open shared object file')")
    try:
        error = installer.run("--torch", "cu130", "--agree")[-1]
    finally:
        installer.index.put_torch("cu130")
    assert error["error"] == "test-failed"
    assert "libcudart.so.13" in error["sentence"]
    assert installer.pointer() == before
    assert installer.names() == names


@pytest.mark.slow
def test_only_the_broken_file_is_downloaded_again(fresh: Installer) -> None:
    broken = fresh.index.put_torch("cpu")
    fresh.index.cut.add(broken)
    try:
        error = fresh.run("--torch", "cpu", "--agree")[-1]
    finally:
        fresh.index.cut.clear()
    assert error["error"] in {"no-network", "altered-file"}, "older versions of pip see the hash alone"
    assert not (fresh.user / IN_USE).exists()
    assert fresh.names() == set(), "nothing half-made is left"
    fetched = set(fresh.index.wheels_asked())
    fresh.index.asked.clear()
    assert "finished" in fresh.run("--torch", "cpu", "--agree")[-1]
    assert set(fresh.index.wheels_asked()) & fetched == {broken.rpartition("/")[2]}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no interrupt for one process alone")
def test_an_interrupt_leaves_nothing_half_made_and_no_pip_behind(fresh: Installer) -> None:
    fresh.index.held.clear()
    process = subprocess.Popen(
        fresh.command("--torch", "cpu", "--agree"),
        cwd=ROOT,
        env=fresh.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    watchdog = threading.Timer(60, process.kill)
    watchdog.start()
    assert process.stdout is not None
    halfway: dict[str, Any] = {}
    while not 1_000_000 < halfway.get("done", 0) < halfway.get("of", 0):
        halfway = json.loads(process.stdout.readline())
    assert halfway["label"] == "Downloading torch"
    folder = next((fresh.user / "environments").iterdir())
    second = fresh.run("--torch", "cpu", "--agree")[-1]
    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate()
    watchdog.cancel()
    fresh.index.held.set()
    assert second["error"] == "already-installing"
    assert process.returncode == 130
    assert json.loads(printed.splitlines()[-1])["error"] == "cancelled"
    assert not folder.exists()
    assert not (fresh.user / IN_USE).exists()


@pytest.mark.slow
@pytest.mark.parametrize("package", ["safetensors", "pillow"])
def test_a_file_with_another_hash_is_refused_whatever_the_index_says(package: str, fresh: Installer) -> None:
    path = next(path for path in fresh.index.files if f"/{package}-" in path)
    before = {name: fresh.index.files[name] for name in (path, f"/simple/{package}/")}
    listed = fresh.index.hashes.read_text()
    fresh.index.put("simple", package, pinned(package), {f"{package}.py": "altered = True"})
    fresh.index.hashes.write_text(listed)
    try:
        error = fresh.run("--torch", "cpu", "--agree")[-1]
    finally:
        fresh.index.files.update(before)
    assert error["error"] == "altered-file"
    assert not (fresh.user / IN_USE).exists()
    assert fresh.names() == set()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes of files")
def test_what_it_writes_is_private_and_no_planted_link_is_followed(fresh: Installer, tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    fresh.user.mkdir(parents=True)
    for name in (IN_USE, INSTALL_LOG, "environments.lock"):
        (fresh.user / name).symlink_to(target)
    assert "finished" in fresh.run("--torch", "cpu", "--agree")[-1]
    assert target.read_text() == "precious"
    written = [fresh.user / name for name in (IN_USE, INSTALL_LOG, "environments.lock")]
    written += (fresh.user / "environments").glob(f"*/{STAMP}")
    assert [path.lstat().st_mode & 0o777 for path in written] == [0o600] * 4


@pytest.mark.slow
def test_no_network_is_an_error(fresh: Installer) -> None:
    fresh.environment |= {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_RETRIES": "1"}
    error = fresh.run("--torch", "cpu", "--agree")[-1]
    assert error["error"] == "no-network"
    assert INSTALL_LOG in error["advice"]


def test_one_index_can_be_named_for_everything(fresh: Installer, index: TinyIndex) -> None:
    plan = fresh.run("--plan", "--torch", "cpu", "--index-url", "https://packages.example/simple")[-1]
    assert plan["hosts"] == ["https://packages.example/simple"]
    assert f"torch=={TORCH}" in plan["packages"]


def test_a_half_made_environment_is_not_whole(installer: Installer) -> None:
    environments = Environments(installer.user)
    name = installer.pointer()["name"]
    assert environments.current() is not None
    for damage in (STAMP, "pyvenv.cfg", environments.python(name).relative_to(environments.folder(name))):
        path = environments.folder(name) / damage
        path.rename(path.with_name("away"))
        assert environments.current() is None
        path.with_name("away").rename(path)
    for content in ('{"build": "cp', "[" * 100_000, "[]", '{"build": 1, "torch": [], "device": {}}', " " * 2_000_000):
        (environments.folder(name) / STAMP).write_text(content)
        assert environments.current() is None


@pytest.mark.parametrize("content", ["", "[" * 100_000, "[1]", '{"name": 1}', '{"name": ".."}', '{"name": "a/../b"}'])
def test_any_pointer_can_be_read(content: str, tmp_path: Path) -> None:
    environments = Environments(tmp_path)
    for folder in (environments.folder("b"), environments.folder("..")):
        python = folder / environments.python("x").relative_to(environments.folder("x"))
        python.parent.mkdir(parents=True)
        python.touch()
        (folder / "pyvenv.cfg").touch()
        (folder / STAMP).write_text(json.dumps({"build": "cpu", "torch": "1", "device": "CPU"}))
    environments.folder("a").mkdir()
    (tmp_path / IN_USE).write_text(content)
    assert all(environments.whole(name) for name in ("..", "a/../b")), "they would be taken"
    assert (environments.current(), environments.previous(), environments.kept()) == (None, None, ())


@pytest.mark.slow
def test_an_environment_that_no_longer_passes_is_made_anew(installer: Installer) -> None:
    torch = next(Environments(installer.user).folder(installer.pointer()["name"]).rglob("torch.py"))
    torch.write_text("raise OSError('half of it is gone')")
    assert "finished" in installer.run("--torch", "cpu", "--agree")[-1]
    assert installer.torch() == f"{TORCH}+cpu"


@pytest.mark.slow
def test_an_environment_without_its_python_is_made_anew(installer: Installer) -> None:
    settings = Environments(installer.user).folder(installer.pointer()["name"]) / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("home = ", "home = /gone"))
    assert installer.run("--plan", "--torch", "cpu")[-1]["up_to_date"] is False
    assert "finished" in installer.run("--torch", "cpu", "--agree")[-1]
    assert "/gone" not in settings.read_text()


def test_too_little_space_is_an_error_before_the_first_byte(fresh: Installer, monkeypatch: pytest.MonkeyPatch) -> None:
    from backend.errors import UserError
    from backend.install import installation, plan

    class Usage(NamedTuple):
        free: int

    def disk_usage(_path: Path) -> Usage:
        return Usage(1_000_000_000)

    monkeypatch.setattr(shutil, "disk_usage", disk_usage)
    made = plan.make_plan("cu130")
    with pytest.raises(UserError, match=r"needs about 10\.2 GB, and .* has 1\.0 GB left"):
        installation.install(made, Environments(fresh.user), ProgressBar(as_json=True))
    assert fresh.index.asked == []


@pytest.mark.parametrize("python", ["/no/such/python", "too old", "without venv", "no answer"])
def test_an_unsuitable_python_is_refused(python: str, fresh: Installer, tmp_path: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("the stand-ins for Python are shell scripts")
    stands_in = tmp_path / "python"
    version, full, venv = ("[3, 9]", "3.9.2", "true") if python == "too old" else ("[3, 12]", "3.12.1", "false")
    answer = f'{{"path": "/usr/bin/python", "version": {version}, "full": "{full}", "bits": 64, "venv": {venv}}}'
    stands_in.write_text(f"#!/bin/sh\necho '{answer if python != 'no answer' else '[]'}'\n")
    stands_in.chmod(0o755)
    path = python if python.startswith("/") else str(stands_in)
    error = fresh.run("--plan", "--torch", "cpu", "--python", path)[-1]
    assert error["error"] == ("no-venv" if python == "without venv" else "no-python")
    assert "--python PATH" in error["advice"]
