# SPDX-License-Identifier: GPL-3.0-or-later
"""Environments made for real, from packages of this file's own making instead of the network's."""

import os
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import environment
import fetch_wheels
import pytest
from environment import Environment, SetupError

SMALL = Environment(".venv", ("small",))
GROWN = Environment(".venv", ("small", "more"))

NAMED = (environment.DEMO, environment.DEVELOPMENT, environment.OLDEST, environment.NEWEST)

PROJECT = """
[project]
dependencies = ["always"]
[project.optional-dependencies]
small = ["little>=1"]
[dependency-groups]
more = ["extra"]
absent = ["nowhere"]
"""


def write_wheel(folder: Path, name: str, version: str, requires: str = "") -> None:
    """A package with nothing in it but its version."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"version = {version!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)


@pytest.fixture(scope="module")
def small_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which SMALL has been made, to be copied."""
    root = tmp_path_factory.mktemp("made") / "a check out"
    (root / "wheels").mkdir(parents=True)
    for name, version in [("always", "1.0"), ("little", "1.0"), ("little", "2.0"), ("extra", "3.0")]:
        write_wheel(root / "wheels", name, version)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "constraints.txt").write_text("# pins\nalways==1.0\n\nLittle==1.0\nextra==3.0\nnowhere==1.0\n")
    with pytest.MonkeyPatch.context() as patch:
        go_to(root, patch)
        environment.make(SMALL)
    return root


@pytest.fixture
def checkout(small_checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout of its own for the test, where SMALL is whole."""
    root = tmp_path / "a check out"
    shutil.copytree(small_checkout, root, symlinks=True)
    go_to(root, monkeypatch)
    return root


def go_to(root: Path, patch: pytest.MonkeyPatch) -> None:
    """Lets `environment` work in `root`, and pip with its wheels alone."""
    patch.setattr(environment, "ROOT", root)
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        patch.delenv(name)
    patch.setenv("PIP_CONFIG_FILE", os.devnull)
    patch.setenv("PIP_NO_INDEX", "1")
    patch.setenv("PIP_FIND_LINKS", (root / "wheels").as_uri())


def version_of(root: Path, package: str) -> str | None:
    """The version of `package` that the Python of `.venv` imports; None if it has none."""
    python = environment.python_of(root / ".venv")
    code = f"import {package}; print({package}.version)"
    run = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return run.stdout.strip() or None


def test_it_holds_what_was_asked_for_at_the_pinned_versions(checkout: Path) -> None:
    assert version_of(checkout, "always") == "1.0"
    assert version_of(checkout, "little") == "1.0"
    assert version_of(checkout, "extra") is None


def test_what_is_installed_alone_brings_nothing_along(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_wheel(checkout / "wheels", "lonely", "1.0", "Requires-Dist: unwanted\n")
    (checkout / "pyproject.toml").write_text(f'{PROJECT}alone = ["lonely"]\n')
    pins = (checkout / "constraints.txt").read_text()
    (checkout / "constraints.txt").write_text(f"{pins}lonely==1.0\n")
    monkeypatch.setattr(environment.pinned, "WITHOUT", {"lonely": ("unwanted",)})
    environment.make(replace(SMALL, groups=(*SMALL.groups, "alone")))
    assert version_of(checkout, "lonely") == "1.0"
    assert version_of(checkout, "little") == "1.0"


def test_making_it_again_does_nothing(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (checkout / ".venv" / environment.LOG).unlink()
    assert environment.make(SMALL) == environment.python_of(checkout / ".venv")
    assert not (checkout / ".venv" / environment.LOG).exists()
    assert capfd.readouterr() == ("", "")


def test_a_file_in_place_of_the_folder_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go_to(tmp_path, monkeypatch)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "constraints.txt").write_text("always==1.0\nlittle==1.0\n")
    (tmp_path / ".venv").write_text("mine")
    with pytest.raises(SetupError, match="Move it away"):
        environment.make(SMALL)
    assert (tmp_path / ".venv").read_text() == "mine"


def test_it_grows_and_stays_grown(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    environment.make(GROWN)
    assert version_of(checkout, "extra") == "3.0"
    announced, ready = capfd.readouterr().out.splitlines()
    assert announced == "Completing .venv: always 1.0, extra 3.0, little 1.0"
    assert ready.startswith(".venv is ready after ")
    environment.make(SMALL)
    assert capfd.readouterr().out == ""


def test_another_pin_replaces_the_package(checkout: Path) -> None:
    environment.make(replace(SMALL, overrides=("little==2.0",)))
    assert version_of(checkout, "little") == "2.0"


def test_a_range_that_the_pin_leaves_is_refused(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (checkout / "pyproject.toml").write_text(PROJECT.replace("little>=1", "little>=2"))
    with pytest.raises(SetupError):
        environment.make(SMALL)
    assert "little" in capfd.readouterr().err


@pytest.mark.parametrize(
    "stamp", ['{"groups": ["small"], "digest": ""}', pytest.param('{"groups": ["sm', marks=pytest.mark.slow)]
)
def test_a_half_made_one_is_made_anew(checkout: Path, stamp: str) -> None:
    remains = checkout / ".venv" / "remains"
    remains.touch()
    (checkout / ".venv" / environment.STAMP).write_text(stamp)
    environment.make(SMALL)
    assert not remains.exists()
    assert version_of(checkout, "little") == "1.0"


@pytest.mark.slow
def test_one_whose_python_is_gone_is_made_anew(checkout: Path) -> None:
    environment.python_of(checkout / ".venv").unlink()
    environment.make(SMALL)
    assert version_of(checkout, "little") == "1.0"


def test_what_cannot_be_had_leaves_a_whole_one_whole(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SetupError) as caught:
        environment.make(Environment(".venv", ("absent",)))
    assert caught.value.sentence == (
        ".venv could not be made. The package index has nothing that fits the pins, this Python and this system."
    )
    shown = capfd.readouterr()
    assert "nowhere" in shown.err
    assert "nowhere" in (checkout / ".venv" / environment.LOG).read_text()
    environment.make(SMALL)
    assert capfd.readouterr().out == ""


def test_without_a_network_it_says_so(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the port that discards: nobody listens
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(SetupError, match=r"The package index could not be reached\.\nCheck the network"):
        environment.make(GROWN)
    assert version_of(checkout, "little") == "1.0"


def test_a_folder_of_somebody_else_is_left_alone(checkout: Path) -> None:
    stamp = checkout / ".venv" / environment.STAMP
    stamp.unlink()
    with pytest.raises(SetupError, match="was not made by this script"):
        environment.make(SMALL)
    assert version_of(checkout, "little") == "1.0"


@pytest.fixture
def unsupported_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lets this Python be a 3.99, and returns the folder that is all of PATH."""
    monkeypatch.setattr(environment, "THIS", (3, 99))
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


@pytest.mark.usefixtures("unsupported_python")
def test_another_python_is_told_which_one_to_get_and_how() -> None:
    with pytest.raises(SetupError) as caught:
        environment.make(SMALL)
    assert caught.value.sentence == "Blender as a Python module needs Python 3.11 or 3.13, and this is Python 3.99."
    assert caught.value.advice.startswith("Get 3.13 (")
    assert "3.13 " in caught.value.advice.partition("; run: ")[2]


@pytest.mark.skipif(sys.platform == "win32", reason="there the launcher finds Pythons")
def test_another_python_is_told_which_one_is_here(unsupported_python: Path) -> None:
    (unsupported_python / "python3.11").touch(0o755)
    with pytest.raises(SetupError) as caught:
        environment.make(SMALL)
    assert caught.value.advice == f"Python 3.11 is here; run: python3.11 {sys.argv[0]}"


@pytest.mark.usefixtures("unsupported_python")
def test_the_command_line_ends_with_the_sentence() -> None:
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or 3\.13"):
        environment.main()


@pytest.mark.parametrize("python", environment.FOLDERS)
@pytest.mark.parametrize("wanted", NAMED)
def test_every_package_that_is_asked_for_has_one_exact_pin(wanted: Environment, python: tuple[int, int]) -> None:
    always, named = environment.read_requirements()
    asked = {environment.package(line) for line in sum((named[group] for group in wanted.groups), always)}
    pins = environment.read_pins(python, wanted.overrides)
    pinned = [environment.package(pin) for pin in pins]
    assert len(set(pinned)) == len(pinned)
    assert all("==" in pin for pin in pins)
    assert asked <= set(pinned)
    assert ("torch" in asked) == (wanted is environment.DEVELOPMENT)  # gigabytes that the others do not need


def test_each_python_has_a_blender_and_a_folder_of_its_own() -> None:
    blenders = {
        pin for python in environment.FOLDERS for pin in environment.read_pins(python) if pin.startswith("bpy==")
    }
    assert len(blenders) == len(set(environment.FOLDERS.values())) == len(environment.FOLDERS)


def test_wheels_are_fetched_once_for_a_python_without_a_network(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch_wheels, "NEWEST", SMALL)
    folder = tmp_path / "wheels"
    fetch_wheels.main(folder)
    assert sorted(path.name for path in folder.glob("*.whl")) == [
        "always-1.0-py3-none-any.whl",
        "little-1.0-py3-none-any.whl",
    ]
    shutil.rmtree(checkout / "wheels")
    fetch_wheels.main(folder)
    (checkout / "constraints.txt").write_text("always==1.0\nlittle==2.0\n")
    with pytest.raises(subprocess.CalledProcessError):
        fetch_wheels.main(folder)
    assert not (folder / "complete").exists()
