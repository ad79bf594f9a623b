# SPDX-License-Identifier: GPL-3.0-or-later
"""The network of the published size is what its page says, and the same classes made small are trained for real."""

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.training.core.checkpoint import load
from backend.training.core.loop import Run, train
from backend.training.normals.config import FULL, TINY, Large
from backend.training.normals.large import LatentDualStream
from backend.training.normals.task import NormalsTask
from tests.backend.training.normals.toy import ellipsoids

CPU = torch.device("cpu")
SMALL = Large((32, 32), head_channels=16, text_channels=16, code_widths=(32, 32, 32, 32))
CONFIG = replace(
    FULL,
    network=SMALL,
    schedule=replace(
        TINY.schedule,
        stages={name: replace(stage, rate=1e-3) for name, stage in TINY.schedule.stages.items()},
        log=1,
        check=2,
    ),
    sizes=dict.fromkeys(FULL.sizes, ((0, {64: 1.0}),)),
    pixels=2 * 64**2,
    block=8,
    held_out={64: 2},
)


def task(start: Path | None) -> NormalsTask:
    return NormalsTask(CONFIG, ellipsoids, ellipsoids, workers=0, start=start)


def millions(module: torch.nn.Module) -> int:
    return round(sum(value.numel() for value in module.parameters()) / 1e6)


def test_the_full_network_has_the_published_size_and_returns_a_normal_a_pixel() -> None:
    assert isinstance(FULL.network, Large)
    with torch.device("meta"):
        network = LatentDualStream(FULL.network)
        picture, noise = torch.empty(1, 4, 512, 768), torch.empty(1, 3, 512, 768)
        assert network(picture, torch.empty(1, 3, 128, 192), noise).shape == (1, 3, 512, 768)
    assert [millions(part) for part in (network.unet, network.noisy, network.vae)] == [866, 364, 84]


def test_what_is_written_takes_the_place_of_all_that_was_there(tmp_path: Path) -> None:
    (tmp_path / "trunk" / "unet").mkdir(parents=True)
    (tmp_path / "trunk" / "unet" / "of_another.safetensors").touch()
    LatentDualStream(SMALL).write(tmp_path / "trunk")
    parts = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.safetensors"))
    assert parts == [f"trunk/{name}/diffusion_pytorch_model.safetensors" for name in ("controlnet", "unet", "vae")]
    assert [path.name for path in tmp_path.iterdir()] == ["trunk"]


@pytest.mark.slow
def test_it_starts_from_a_folder_and_refines_the_noisy_stream_alone(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="starts from weights"):
        train(Run(task(None), tmp_path / "run", "trunk"), lambda _: None)
    torch.manual_seed(0)
    first = LatentDualStream(SMALL)
    first.write(tmp_path / "start")
    with pytest.raises(UserError, match="no Stable Diffusion"):
        LatentDualStream(replace(SMALL, channels=(32, 64))).start(tmp_path / "start")
    before = first.state_dict()
    moved: list[set[str]] = []
    for stage in ("trunk", "cool", "refine"):
        run = Run(task(tmp_path / "start"), tmp_path / "run", stage, steps=2)
        after = load(train(run, lambda _: None), run.task, CPU).network.state_dict()
        changed = {name for name, value in after.items() if not torch.equal(value, before[name])}
        moved.append({".".join(name.split(".")[: 2 if name.startswith("unet") else 1]) for name in changed})
        before = load(
            tmp_path / "run" / f"{stage}{'' if stage == 'trunk' else '-2'}.pt", run.task, CPU
        ).average.state_dict()
    decoder = {"unet.up_blocks", "unet.conv_norm_out", "unet.conv_out"}
    assert moved[0] >= {"noisy", "unet.conv_in", "unet.down_blocks", "unet.mid_block", *decoder}
    assert moved[2] == {"noisy", *decoder}
    assert (tmp_path / "run" / "refine-2" / "controlnet" / "config.json").exists()
