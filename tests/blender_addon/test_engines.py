# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines as the add-on learns them: from the file of the last time, a child or a greeting. They come and go."""

import dataclasses
import json
import os
import stat
import subprocess
import sys
import threading
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import bpy
import pytest

from tests.blender_addon.scripted import write_program
from tests.blender_addon.support import CHECKOUT, MODULE, tick_until


def learn(module: ModuleType, session: Any, engines: Any) -> None:
    """As after a greeting."""
    module.hear(wire().Capabilities("0.0.0", tuple(engines)), session.user_folder)
    module.learn()


def capabilities(engines: Any) -> Any:
    """What is kept of the engines."""
    return wire().Capabilities("", engines)


def wire() -> Any:
    return import_module(f"{MODULE}.backend.wire.messages")


def setting(name: str, default: Any, minimum: float = 0, maximum: float = 0, options: tuple[str, ...] = ()) -> Any:
    listed = tuple(wire().OptionInfo(option, option.title(), f"It is {option}") for option in options)
    return wire().SettingInfo(name, name.title(), f"What {name} is", default, minimum, maximum, listed)


def engine(name: str, *settings: Any, inputs: tuple[str, ...] = ("picture",)) -> Any:
    return wire().EngineInfo(
        name,
        name.title(),
        "Spins",
        uses_seed=True,
        needs_gpu=False,
        missing="",
        inputs=inputs,
        products={"views": "views"},
        on_request={},
        versions={},
        settings=settings,
    )


def test_an_engine_that_nobody_knew_has_a_panel_and_arguments(scene: Any, session: Any, engines: ModuleType) -> None:
    orbit = engine("orbit", setting("spins", 7, 1, 9), setting("path", "round", options=("round", "flat")))
    learn(engines, session, [*engines.known(), orbit])
    scene.hi3dgen.engine = "orbit"
    scene.hi3dgen_orbit.path = "flat"
    assert scene.hi3dgen_orbit.spins == 7
    arguments = bpy.ops.hi3dgen.generate.get_rna_type().properties
    assert arguments["spins"].hard_max == 9
    assert "thickness" in arguments, "those of the other engines stay"


def test_an_engine_comes_back_with_its_values_and_the_choice(scene: Any, session: Any, engines: ModuleType) -> None:
    usual = engines.known()
    orbit = engine("orbit", setting("path", "round", options=("round", "flat")), setting("size", 0.5, 0, 1))
    learn(engines, session, [*usual, orbit])
    scene.hi3dgen.engine = "orbit"
    scene.hi3dgen_orbit.path, scene.hi3dgen_orbit.size = "flat", 0.25
    learn(engines, session, usual)
    assert scene.hi3dgen.engine == usual[0].name
    assert not hasattr(scene, "hi3dgen_orbit")
    longer = setting("path", "round", options=("spiral", "flat", "round"))
    learn(engines, session, [engine("first"), *usual, dataclasses.replace(orbit, settings=(longer, orbit.settings[1]))])
    assert scene.hi3dgen.engine == "orbit"
    assert (scene.hi3dgen_orbit.path, scene.hi3dgen_orbit.size) == ("flat", 0.25)


def test_a_value_that_a_changed_setting_cannot_have_is_its_default(
    scene: Any, session: Any, engines: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.blender_addon.test_settings import requested

    usual = engines.known()
    for before, value, after in (
        (setting("size", 3, 0, 9), 5, setting("size", "big", options=("small", "big"))),
        (setting("size", "big", options=("small", "big")), "small", setting("size", "big", options=("big",))),
        (setting("size", "big", options=("small", "big")), "small", setting("size", 0.5, 0, 1)),
    ):
        learn(engines, session, [*usual, engine("orbit", before)])
        scene.hi3dgen_orbit.size = value
        learn(engines, session, [*usual, engine("orbit", after)])
        assert requested(scene, monkeypatch, engine="orbit")[1] == {"size": after.default}


def test_what_engines_mean_differently_is_read_by_the_engine_that_runs(
    scene: Any, session: Any, engines: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.blender_addon.test_settings import requested

    narrow = engine(
        "narrow", setting("size", 3, 0, 9), setting("mood", "calm", options=("calm",)), setting("x", 1, 1, 2)
    )
    wide = engine("wide", setting("size", 0.5, 0, 1), setting("mood", "wild", options=("wild",)), setting("x", 3, 3, 4))
    learn(engines, session, [narrow, wide])
    arguments = bpy.ops.hi3dgen.generate.get_rna_type().properties
    assert (arguments["size"].type, arguments["mood"].type) == ("STRING", "ENUM")
    assert (arguments["x"].hard_min, arguments["x"].hard_max) == (1, 4)
    assert {item.identifier for item in arguments["mood"].enum_items} == {"calm", "wild"}
    assert requested(scene, monkeypatch, engine="narrow", size="4")[1] == {"size": 4, "mood": "calm", "x": 1}
    assert requested(scene, monkeypatch, engine="wide", size="0.25")[1] == {"size": 0.25, "mood": "wild", "x": 3}
    assert requested(scene, monkeypatch, engine="wide")[1]["size"] == 0.5


def test_names_that_blender_needs_itself_are_left_to_it(scene: Any, session: Any, engines: ModuleType) -> None:
    odd = engine("odd", setting("name", 1, 0, 2), setting("class", 1, 0, 2), setting("engine", 1, 0, 2))
    learn(engines, session, [odd])
    assert bpy.ops.hi3dgen.generate.get_rna_type().properties["engine"].type == "STRING"
    assert scene.hi3dgen_odd.engine == 1
    assert not hasattr(scene.hi3dgen_odd, "class")


def test_a_further_input_is_an_image_of_the_panel_and_an_argument(
    scene: Any, session: Any, engines: ModuleType, picture_file: Path
) -> None:
    learn(engines, session, [*engines.known(), engine("orbit", inputs=("picture", "back_view"))])
    scene.hi3dgen_orbit.back_view = bpy.data.images.new("behind", 4, 4)
    assert bpy.ops.hi3dgen.generate.get_rna_type().properties["back_view"].name == "Back View"
    with pytest.raises(RuntimeError, match="no image “nobody”"):
        bpy.ops.hi3dgen.generate(filepath=str(picture_file), back_view="nobody")


def test_the_file_is_private_and_of_one_version_of_the_backend(
    session: Any, engines: ModuleType, tmp_path: Path
) -> None:
    backend = write_program(tmp_path, "")
    orbit = (engine("orbit", setting("steps", 7, 1, 9)),)
    engines.write(tmp_path, backend, capabilities(orbit))
    assert engines.read(tmp_path, backend) == capabilities(orbit)
    path = tmp_path / "capabilities.json"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not list(tmp_path.glob(".*"))
    (backend / "backend" / "new.py").touch()
    assert engines.read(tmp_path, backend) is None


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"stamp": 1}', "[" * 100_000, '{"stamp": "STAMP", "capabilities": {"version": ""}}']
)
def test_an_unreadable_file_is_as_if_it_were_missing(
    session: Any, engines: ModuleType, tmp_path: Path, text: str
) -> None:
    engines.write(tmp_path, CHECKOUT, capabilities(engines.known()))
    path = tmp_path / "capabilities.json"
    path.write_text(text.replace("STAMP", json.loads(path.read_text())["stamp"]))
    assert engines.read(tmp_path, CHECKOUT) is None


def test_a_folder_that_cannot_be_written_costs_the_file_alone(
    session: Any, engines: ModuleType, tmp_path: Path
) -> None:
    (tmp_path / "capabilities.json").mkdir()
    engines.write(tmp_path, CHECKOUT, capabilities(engines.known()))
    assert engines.read(tmp_path, CHECKOUT) is None


def test_a_greeting_is_learned_between_operators(session: Any, engines: ModuleType, tmp_path: Path) -> None:
    usual = engines.known()
    learn(engines, session, usual[:1])
    session.start()
    tick_until(session, lambda: session.phase.name == "READY")
    assert engines.known() == usual[:1]
    assert engines.learn()
    assert engines.known() == usual


ASKED = """
import json, pathlib, sys
with open(pathlib.Path(__file__).with_name("asked"), "a") as file:
    file.write(".")
print(json.dumps(CAPABILITIES))
"""


def test_the_backend_is_only_asked_for_the_versions_of_engines_that_are_used(
    session: Any, engines: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = engines.known()
    fields, _ = import_module(f"{MODULE}.backend.wire.records").fields_of(
        wire().Capabilities("0.0.0", (engine("plain"), dataclasses.replace(engine("orbit"), versions={"weights": "2"})))
    )
    extension = write_program(tmp_path, ASKED.replace("CAPABILITIES", repr(fields)))
    monkeypatch.setattr(engines.extension, "FOLDER", extension)
    learn(engines, session, [engine("plain"), dataclasses.replace(engine("orbit"), versions={"weights": ""})])
    assert {each.name: each.versions for each in engines.known_afresh({"plain"})}["orbit"] == {"weights": ""}
    assert not (extension / "backend" / "asked").exists()
    assert {each.name: each.versions for each in engines.known_afresh({"plain", "orbit"})}["orbit"] == {"weights": "2"}
    assert (extension / "backend" / "asked").read_text() == "."
    monkeypatch.undo()
    learn(engines, session, usual)


ENABLED = """
import os, sys
import bpy, addon_utils
addon_utils.enable("{module}", default_set=True)
print("arguments", "faces" in bpy.ops.hi3dgen.generate.get_rna_type().properties)
try:
    bpy.ops.hi3dgen.generate(filepath=sys.argv[1], faces=2_000)
except RuntimeError as error:
    print(error)
sys.stdout.flush()
os._exit(0)
"""


@pytest.mark.parametrize("arguments", [{}, {"faces": 2_000}, {"no_such_setting": 1}])
def test_while_the_engines_are_found_out_generate_says_so_and_does_not_wait(
    scene: Any, engines: ModuleType, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any]
) -> None:
    answered = threading.Event()
    asking = threading.Thread(target=answered.wait)
    asking.start()
    monkeypatch.setattr(engines, "_known", engines.NOTHING)
    monkeypatch.setattr(engines, "_asking", asking)
    try:
        with pytest.raises(RuntimeError, match=r"still starting: its engines are not known yet. Try again in a moment"):
            bpy.ops.hi3dgen.generate(filepath=__file__, **arguments)
        assert asking.is_alive(), "nobody waited for it"
    finally:
        answered.set()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pipes on the disk")
def test_a_pipe_in_place_of_the_file_is_not_waited_for(session: Any, engines: ModuleType, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "capabilities.json")
    assert engines.read(tmp_path, CHECKOUT) is None
    engines.write(tmp_path, CHECKOUT, capabilities(engines.known()))
    assert engines.read(tmp_path, CHECKOUT) == capabilities(engines.known())


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has links only for some")
def test_a_link_in_place_of_the_log_is_not_followed(session: Any, engines: ModuleType, tmp_path: Path) -> None:
    process = import_module(f"{MODULE}.blender_addon.link.process")
    (tmp_path / "precious").write_text("precious")
    process.log_file(tmp_path).hardlink_to(tmp_path / "precious")
    engines.ask(
        tmp_path,
        write_program(
            tmp_path, 'import sys; print("noise", file=sys.stderr); print(\'{"version": "0.0.0", "engines": []}\')'
        ),
    )
    assert (tmp_path / "precious").read_text() == "precious"
    assert "noise" in process.log_tail(tmp_path, 1)


@pytest.mark.parametrize("answers", [True, False])
def test_the_first_time_without_a_window_the_backend_is_asked(
    tmp_path: Path,
    picture_file: Path,
    answers: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    folder = tmp_path / "extensions" / "user_default"
    folder.mkdir(parents=True)
    (folder / "hi3dgen").symlink_to(CHECKOUT, target_is_directory=True)
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(tmp_path)}
    script = ENABLED.format(module=MODULE)
    if not answers:
        script = script.replace("import bpy,", f"sys.executable = {str(tmp_path / 'gone')!r}\nimport bpy,")
    command = [sys.executable, "-c", script, str(picture_file)]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=100)
    assert f"arguments {answers}" in ran.stdout, ran.stdout + ran.stderr
    assert ("did not say which engines it has" in ran.stdout) != answers, ran.stdout
    file = tmp_path / "extensions" / ".user" / "user_default" / "hi3dgen" / "capabilities.json"
    assert file.exists() == answers
