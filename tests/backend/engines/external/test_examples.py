# SPDX-License-Identifier: GPL-3.0-or-later
"""The descriptions that ship as examples are read, and their wrappers know the settings that they declare."""

import ast
import json
import re
from pathlib import Path

import pytest

from backend.engines import DRAFT
from backend.engines.external.description import WANTS, read_description
from backend.engines.external.engine import external, reserved
from tests.backend.process import ROOT

FOLDER = ROOT / "examples" / "external"
EXAMPLES = sorted(FOLDER.glob("*.json"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_an_engine_whose_terms_are_told(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / path.name  # a checkout may be open to everybody
    copy.write_bytes(path.read_bytes())
    engine = external(read_description(copy, reserved(DRAFT)), DRAFT, lambda: None)
    assert engine.terms
    assert engine.terms_url.startswith("https://")
    assert engine.needs_gpu
    assert {setting.name for setting in engine.settings} <= {name for stage in engine.stages for name in stage.settings}


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_its_wrapper_uses_what_it_declares(path: Path) -> None:
    declared, code = json.loads(path.read_text(encoding="utf-8")), path.with_suffix(".py").read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(code))
    assert set(re.findall(r'settings\["(\w+)"\]', code)) == {each["name"] for each in declared["settings"]}
    asked = set(re.findall(r'request\["(\w+)"\]', code))
    assert {"output", "seed", "device"} <= asked
    assert asked - {"output", "seed", "settings", "picture", "device"} == {*declared.get("wants", [])} <= {*WANTS}
