# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fixture in every folder is found, recognised and tested, or named as one that no test knows."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from tests.parity import golden
from tests.parity.formulas import evaluate


@pytest.mark.parametrize("folder", [golden.OWN, *golden.NAMED], ids=str)
def test_a_folder_of_fixtures_holds_some(folder: Path) -> None:
    assert golden.sources((folder,)), f"{folder} holds no fixture: HI3DGEN_PARITY names folders"


def test_there_is_a_small_fixture_of_every_kind() -> None:
    assert {source.kind for source in golden.sources((golden.OWN,))} == {*golden.NETWORKS, *golden.ALGORITHMS}


def test_the_small_fixtures_hold_their_weights_or_are_quick_to_make_but_for_one_network() -> None:
    assert [source.name for source in golden.sources((golden.OWN,)) if source.by_rule] == ["hi3d_dpt"]


@pytest.mark.parametrize("source", golden.sources(), ids=lambda source: source.name)
def test_the_kind_of_a_fixture(source: golden.Source) -> None:
    if not source.kind:
        pytest.skip(f"{source.path.name} is of a kind that no test here knows")
    assert source.kind in golden.NETWORKS + golden.ALGORITHMS


@pytest.mark.parametrize(
    ("stated", "name", "kind"),
    [
        ("ss_flow", "anything", "ss_flow"),
        ("ss_flow_batch2", "anything", "ss_flow"),
        (None, "slat_flow_two_objects", "slat_flow"),
        ("tiny", "slat_dec_mesh", "slat_dec_mesh"),
        ("surfaces", "other", ""),
        (None, "ss_flows", ""),
        (7, "other", ""),
    ],
)
def test_a_kind_is_what_the_json_says_or_the_files_name(
    stated: str | None, name: str, kind: str, tmp_path: Path
) -> None:
    (tmp_path / f"{name}.json").write_text(json.dumps({} if stated is None else {"fixture": stated}), encoding="utf-8")
    shutil.copy(golden.OWN / "ss_flow.safetensors", tmp_path / f"{name}.safetensors")
    assert [source.kind for source in golden.sources((tmp_path,))] == [kind]


def test_other_files_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "lonely.json").write_text("{}", encoding="utf-8")
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    shutil.copy(golden.OWN / "ss_flow.safetensors", tmp_path / "broken.safetensors")
    assert [(source.name, source.kind) for source in golden.sources((tmp_path,))] == [(f"{tmp_path.name}/broken", "")]


@pytest.mark.parametrize(
    ("formula", "value"),
    [
        ("8*(0.36 - ((X-0.1)^2/0.5 + (Y+0.15)^2))", 8 * (0.36 - (1.9**2 / 0.5 + 3.15**2))),
        ("(3X+5Y+40c) mod 256", (3 * 2 + 5 * 3 + 40 * 7) % 256),
        ("-X + sin(3*Y)", -2 + np.sin(9)),
        ("2(X+1)", 6),
    ],
)
def test_formulas(formula: str, value: float) -> None:
    assert evaluate(formula, {"X": 2, "Y": 3, "c": 7, "sin": np.sin}) == pytest.approx(value)


@pytest.mark.parametrize("formula", ["X.real", "[1]", "X if X else 1", "'a'", "max(1, 2)"])
def test_a_formula_is_mathematics_only(formula: str) -> None:
    with pytest.raises(ValueError, match="no part of a formula"):
        evaluate(formula, {"X": 2, "max": max})
