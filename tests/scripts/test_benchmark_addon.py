# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's benchmark in real Blenders, with a small picture and a small mesh."""

from importlib.util import find_spec

import benchmark_addon
import pytest

pytest.importorskip("PIL", reason="writes pictures: pip install pillow")


@pytest.mark.slow
@pytest.mark.skipif(find_spec("bpy") is None, reason="needs Blender as a module: python3 scripts/test.py installs it")
@pytest.mark.parametrize("busy", [False, True])
def test_every_number_is_measured_and_printed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *, busy: bool
) -> None:
    monkeypatch.delenv("HI3DGEN_BLENDER", raising=False)
    found = benchmark_addon.measure(benchmark_addon.PARTS, 1, 96, 1100, 2000, busy=busy)
    printed = capsys.readouterr().out
    assert list(found) == list(benchmark_addon.PARTS)
    assert found["enabling"][0] > 0
    cold, warm = found["pictures"]
    for job in (cold, warm, *found["large"]):
        assert job["seconds"] > job["stages"] > 0
        assert job["making"] > 0
    assert cold["backend"] > 0
    assert found["mesh"]["triangles"] == 2 * 32**2
    assert len(found["mesh"]["landed"]) == len(found["mesh"]["imported"]) == 1
    for line in ("enabling", "96 px: the click", "1100 px: longest turn", "2048 triangles into the scene", "faster"):
        assert line in printed
