# SPDX-License-Identifier: GPL-3.0-or-later
"""The hi3dgen engine's benchmark on tiny networks: both ways come to the same, and totals are what they say."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here: the extra hi3dgen has it")

import benchmark
import benchmark_against
import benchmark_baseline as baseline
import benchmark_precision
import benchmark_presets
import benchmark_stages
import benchmark_timing
import full_size
import numpy as np
import torch

from backend.models.presets import PRESETS
from backend.nn.sampler import Sampling
from backend.surface.surface import extract_surface


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same networks with few channels and blocks, and short tokens."""
    sizes = {"model_channels": 24, "cond_channels": 10, "num_blocks": 2, "num_heads": 2}
    monkeypatch.setattr(full_size, "STRUCTURE_FLOW", replace(full_size.STRUCTURE_FLOW, resolution=4, **sizes))
    monkeypatch.setattr(full_size, "STRUCTURE_DECODER", replace(full_size.STRUCTURE_DECODER, channels=[8, 4]))
    monkeypatch.setattr(full_size, "LATENT_FLOW", replace(full_size.LATENT_FLOW, io_block_channels=[8], **sizes))
    decoder = replace(full_size.LATENT_DECODER, resolution=16, model_channels=256, num_blocks=2, num_heads=2)
    monkeypatch.setattr(full_size, "LATENT_DECODER", decoder)
    monkeypatch.setattr(full_size, "image_tokens_by_rule", lambda: torch.randn(1, 5, 10))


def test_the_baseline_computes_the_same_and_every_preset_has_a_total(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    written = tmp_path / "found.json"
    stages = ["structure", "occupancy", "latents", "decoder"]
    asked = ["--device", "cpu", "--voxels", "40", "--json", str(written), "--stages", *stages]
    monkeypatch.setattr(sys, "argv", ["benchmark.py", "--engine", "hi3dgen", *asked])
    benchmark.main()
    found = json.loads(written.read_text(encoding="utf-8"))
    raced = [row for row in found["rows"] if row["difference"] is not None]
    assert [(row["stage"], row["part"]) for row in raced] == [
        ("structure", "step with the picture"),
        ("structure", "step without it"),
        ("latents", "step with the picture"),
        ("latents", "step without it"),
        ("decoder", "features"),
        ("decoder", "surface"),
    ]
    assert max(row["difference"] for row in raced) < 1e-4
    assert set(found["totals"]) == {"baseline", *PRESETS}
    expected = sum(row["ours"] * row["often"]["balanced"] for row in found["rows"])
    assert found["totals"]["balanced"] == pytest.approx(expected)
    for name, preset in PRESETS.items():
        for stage in ("structure", "latents"):
            steps = [row["often"][name] for row in found["rows"] if row["stage"] == stage and "step" in row["part"]]
            assert sum(steps) == getattr(preset, stage).evaluations
    printed = capsys.readouterr().out
    assert "no picture is a constant" in printed
    assert "upstream" in printed


def test_one_block_is_timed_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that counts the blocks that were run: 24 with and 24 without the picture, of one each."""
    blocks = 0

    plainly = full_size.StructureFlow.transform

    def counted(self: full_size.StructureFlow, h: torch.Tensor, *given: Any) -> torch.Tensor:
        nonlocal blocks
        blocks += len(self.blocks)
        return plainly(self, h, *given)

    monkeypatch.setattr(full_size.StructureFlow, "transform", counted)
    bench = benchmark_timing.Bench(torch.device("cpu"), torch.float32, 10, 1, clock=lambda: blocks, blocks=1)
    measurements = benchmark_stages.Measurements()
    with torch.inference_mode():
        benchmark_stages.structure(bench, measurements)
    assert [(row.ours, row.baseline) for row in measurements.rows[:2]] == [(24, 24)] * 2
    assert measurements.total("upstream") == measurements.total(None) == 24 * 88


def test_results_that_differ_would_show() -> None:
    bench = benchmark_timing.Bench(torch.device("cpu"), torch.float32, 10, 1)
    x = torch.linspace(1, 2, 5)
    race = benchmark_timing.raced(bench, lambda: x * 1.01, lambda: x)
    assert race.difference == pytest.approx(0.01, rel=1e-3)
    assert benchmark_timing.raced(bench, lambda: x[1:], lambda: x).difference is None


@pytest.mark.parametrize("installed", [False, True])
def test_the_dense_surface_is_the_sparse_one(installed: bool, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: FBT001
    if installed:
        pytest.importorskip("skimage", reason="scikit-image is not installed here: the baseline then uses ours")
    else:
        monkeypatch.setattr(baseline, "find_spec", {}.get)
    coords = full_size.shell(900, 16)[:, 1:]
    features = torch.randn(len(coords), 101, generator=torch.Generator().manual_seed(0))
    features[:, :8] = 0.3 * features[:, :8] + 4 * benchmark_stages.sphere(coords, 16)
    ours, dense = extract_surface(coords, features, 16), baseline.extract_densely(coords, features, 16)
    assert len(ours.vertices) == len(dense.vertices) > 100
    assert ours.colours is not None
    assert dense.colours is not None
    for mine, theirs in ((ours.vertices, dense.vertices), (ours.colours, dense.colours)):
        torch.testing.assert_close(mine.sort(0).values, theirs.sort(0).values, rtol=1e-5, atol=1e-5)
    centres = [surface.vertices[surface.triangles.long()].mean(1).sort(0).values for surface in (ours, dense)]
    torch.testing.assert_close(*centres, rtol=1e-5, atol=1e-5)
    up = [
        torch.linalg.cross(*surface.vertices[surface.triangles.long()].diff(dim=1).unbind(1))
        for surface in (ours, dense)
    ]
    torch.testing.assert_close(up[0].sum(0), up[1].sum(0), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("count", [1, 500, 4904, 28_600])
def test_a_shell_has_as_many_voxels_as_asked_for(count: int) -> None:
    coords = full_size.shell(count)
    assert len(coords) == len(coords.unique(dim=0)) == count
    assert coords.min() >= 0
    assert coords.max() < 64
    flat = (coords[:, 1] * 64 + coords[:, 2]) * 64 + coords[:, 3]
    assert bool((flat[1:] > flat[:-1]).all())


def test_published_code_that_cannot_be_run_is_told_of(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "hi3dgen", raising=False)  # pytest imports a checkout by its folder's name
    package = tmp_path / "hi3dgen"
    package.mkdir()
    (package / "__init__.py").write_text("import spconv_that_nobody_has\n", encoding="utf-8")
    bench = benchmark_timing.Bench(torch.device("cpu"), torch.float32, 10, 1)
    benchmark_against.compare(tmp_path, bench)
    assert "spconv_that_nobody_has" in capsys.readouterr().out
    assert str(tmp_path) not in sys.path


def test_presets_on_flows_that_are_known(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Balanced is nearer to the published settings than those are to the exact path."""
    monkeypatch.setattr(benchmark_presets, "_DIMENSIONS", 64)
    found = benchmark_presets.on_mixtures(apart=(12.0,))
    assert found["upstream", "structure"].max() == 0
    assert np.median(found["balanced", "structure"]) < 0.05 < np.median(found["preview", "structure"])
    assert "published 50" in capsys.readouterr().out


def test_likeness_of_surfaces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two parallel squares, 0.05 apart, and a square with itself."""
    monkeypatch.setattr(benchmark_presets, "_POINTS", 4000)
    square = 0.3 * torch.tensor([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]])
    triangles = torch.tensor([[0, 1, 2], [0, 2, 3]], dtype=torch.int32)
    voxels = torch.tensor([[0, 1, 2, 3], [0, 4, 5, 6]], dtype=torch.int32)
    run = benchmark_presets.Run(voxels, voxels.float(), square, triangles)
    lifted = replace(run, vertices=square + torch.tensor([0, 0, 0.05]))
    f1, chamfer = benchmark_presets.likeness(lifted, run, 0)
    assert f1 == 0
    assert chamfer == pytest.approx(0.0502, abs=0.0003)  # the points of either do not lie exactly opposite
    f1, chamfer = benchmark_presets.likeness(run, run, 0)
    assert f1 == pytest.approx(1, abs=0.02)
    assert benchmark_presets.overlap(voxels, voxels[:1]) == 0.5


@pytest.mark.slow
def test_presets_with_weights(
    tiny_weights: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
    image = pytest.importorskip("PIL.Image", reason="reads pictures: pip install pillow")
    picture = tmp_path / "normals.png"
    image.fromarray(np.full((64, 64, 4), (128, 128, 255, 255), np.uint8)).save(picture)
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny_weights))
    benchmark_presets.main(["--normal-map", str(picture), "--seeds", "0"])
    rows = {line.split()[0]: line.split()[1:] for line in capsys.readouterr().out.splitlines()[1:]}
    assert set(rows) == set(PRESETS)
    assert rows["upstream"][1:3] == ["1.000", "0.0%"]
    assert float(rows["preview"][1]) < float(rows["balanced"][1]) < 1


def test_half_precision_is_held_against_float32() -> None:
    flow, decoder = full_size.structure_flow(), full_size.structure_decoder()
    tokens = full_size.image_tokens_by_rule()
    with torch.inference_mode():
        equal, flipped = benchmark_precision.compared(
            flow, decoder, tokens, seed=0, sampling=Sampling(2), dtype=torch.bfloat16, device="cpu"
        )
        same, none = benchmark_precision.compared(
            flow, decoder, tokens, seed=0, sampling=Sampling(2), dtype=torch.float32, device="cpu"
        )
    assert (same, none) == (1, 0)
    assert 0.9 < equal <= 1  # a network this small may not flip a single voxel
    assert 0 <= flipped < 0.2
    assert (equal == 1) == (flipped == 0)
