# SPDX-License-Identifier: GPL-3.0-or-later
"""What fine-tuning costs is what the networks themselves count."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.flop_counter import FlopCounterMode

from backend.__main__ import main
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.nn import sparse_conv
from backend.nn.attention import torchs_own
from backend.nn.layers import cast_but_norms
from backend.nn.sparse import Voxels
from backend.nn.sparse_blocks import ResBlock
from backend.nn.transformer import ModulatedBlock
from backend.training.finetune import cost
from backend.training.finetune.parts import CHOICES, LATENTS, STRUCTURE, fine_tuning
from backend.training.finetune.preparing import Choices
from backend.training.finetune.run import CONTEXT, Asked, bill
from backend.training.norld.memory import kept_bytes, recompute_within
from backend.training.norld.task import flow_of
from tests.backend.training.norld.tiny import shell, voxels_of
from tests.parity import golden

ROOT = Path(__file__).parents[4]
STEPS = {
    part: cost.step_cost(part.configs["published-bf16"], CONTEXT, decoder=LatentDecoderConfig(64, 768, 8, 12, 12))
    for part in (STRUCTURE, LATENTS)
}


def counted(call: Callable[[], object]) -> int:
    """The operations of a call, as torch counts them."""
    with FlopCounterMode(display=False) as counter:
        call()
    return counter.get_total_flops()


@pytest.mark.parametrize(("part", "kind"), [(STRUCTURE, "ss_flow"), (LATENTS, "slat_flow")])
def test_the_values_are_those_of_the_published_checkpoints(part: object, kind: str) -> None:
    published = golden.published(kind)
    places = published["pos_emb"].numel() if "pos_emb" in published else 0  # computed, so that no gradient reaches it
    assert STEPS[part].values == sum(tensor.numel() for tensor in published.values()) - places
    assert STEPS[part].resting == 18 * STEPS[part].values  # 2 to compute with; 4 each: master, average, both moments


def test_a_block_takes_as_many_operations_as_torch_counts() -> None:
    sizes = LATENTS.configs["published-bf16"].network
    with torch.device("meta"):
        block = ModulatedBlock(sizes.model_channels, sizes.cond_channels, sizes.num_heads, 4, qk_rms_norm=True)
        x, context, time = torch.empty(1, 500, 1024), torch.empty(1, CONTEXT, 1024), torch.empty(1, 1024)
    found = counted(lambda: block(x, block.modulation(time), block.context(context)))
    assert 2 * cost.block_products(sizes, 500, CONTEXT) == found


def test_a_view_takes_as_many_operations_as_torch_counts() -> None:
    sizes = {"hidden_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2, "mlp_ratio": 4, "patch_size": 14}
    config = transformers.Dinov2WithRegistersConfig(**sizes, image_size=518, num_register_tokens=4)
    with torch.device("meta"):
        network, pixels = transformers.Dinov2WithRegistersModel(config).encoder, torch.empty(1, CONTEXT, 64)
    assert cost.view_operations(64, 2, CONTEXT) == counted(lambda: network(pixels))


@pytest.mark.parametrize(
    ("channels", "out_channels", "dtype"),
    [(64, 64, torch.bfloat16), (32, 64, torch.bfloat16), (64, 64, torch.float32)],
)
def test_layers_around_the_transformer_keep_what_is_counted(
    channels: int, out_channels: int, dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_conv, "sum_present", sparse_conv.sum_at_once)  # as on a GPU
    block = ResBlock(channels, out_channels, 32)
    cast_but_norms(block, dtype)
    time = torch.zeros(1, 32, dtype=dtype)

    def kept(voxels: Voxels) -> int:
        x = torch.zeros(len(voxels), channels, dtype=dtype, requires_grad=True)
        return kept_bytes(block, lambda: block(x, time, voxels))

    few, many = (voxels_of(shell(resolution, 0.4)) for resolution in (4, 10))
    found = (kept(many) - kept(few)) / (len(many) - len(few))
    assert cost.res_block_bytes(channels, out_channels, 1, dtype.itemsize) == pytest.approx(found, rel=0.05)


def test_a_look_keeps_what_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inputs of all blocks, which are computed again, and what the last of them keeps then."""
    monkeypatch.setattr(sparse_conv, "sum_present", sparse_conv.sum_at_once)
    sizes = LatentDecoderConfig(8, 256, 8, 2, 4, mlp_ratio=1, window_size=4)
    decoder = LatentDecoder(sizes).requires_grad_(requires_grad=False)
    decoder.recomputed = decoder.steps

    def kept(voxels: Voxels) -> int:
        latents = torch.zeros(len(voxels), 8, requires_grad=True)
        features = torch.zeros(8 * len(voxels), 64, requires_grad=True)
        inputs = kept_bytes(decoder, lambda: decoder(latents, voxels)[0])
        return inputs + kept_bytes(decoder.upsample[1], lambda: decoder.upsample[1](features, voxels.children))

    few, many = (voxels_of(shell(resolution, 0.4)) for resolution in (4, 8))
    found = kept(many) - kept(few)
    expected = cost.decoder_bytes(sizes, len(many)) - cost.decoder_bytes(sizes, len(few))
    assert expected == pytest.approx(found, rel=0.05)


@pytest.mark.parametrize("part", [STRUCTURE, LATENTS])
@given(memory=st.integers(0, 150 * 10**9))
def test_what_fits_is_planned_within_the_memory(part: object, memory: int) -> None:
    step = STEPS[part]
    again = step.recomputed(memory)
    if again is None:
        assert step.most(step.blocks) > memory
        return
    assert step.most(again) <= memory
    assert again == 0 or step.most(again - 1) > memory
    assert step.operations(again) >= step.operations(0)


def test_the_budget_makes_a_network_recompute_as_many_blocks_as_were_told() -> None:
    """What a training does with the budget is what the bill said of it."""
    config = fine_tuning(LATENTS.configs["published-bf16"], 40, None)
    assert config.held_out == 4
    sizes = replace(config.network, model_channels=64, num_heads=2, cond_channels=16, num_blocks=6)
    config = replace(config, network=sizes)
    step = cost.step_cost(config, CONTEXT)
    network = flow_of(sizes)
    network.compute_in(torch.bfloat16)
    tokens = step.again // (2 * sizes.model_channels)
    for memory in range(step.most(step.blocks), step.most(0), (step.most(0) - step.most(step.blocks)) // 7):
        again = step.recomputed(memory)
        budget = step.budget(memory)
        assert again is not None
        assert budget is not None
        with torchs_own():  # as on the GPUs that the bill is for
            assert abs(recompute_within(network, [tokens], CONTEXT, budget) - again) <= 1


def test_the_documentation_prints_what_is_counted() -> None:
    """A GPU's attention is counted, whatever the processor takes that the tests run on."""
    page = (ROOT / "docs" / "norld.md").read_text(encoding="utf-8")
    meshes = {str(number): Path("mesh.ply") for number in range(100)}
    choices = Choices()
    asked = Asked(meshes, Path("run"), CHOICES["both"], "published-bf16", choices, 2000)
    cards = [line for line in bill(asked, None) if line.startswith("|") and "GB" in line]
    assert len(cards) == 4
    for line in cards:
        assert line in page
    kept = [[step.blocks * step.kept, step.blocks * step.again + step.kept] for step in STEPS.values()]
    cells = " | ".join("; ".join(f"{size / 1e9:.1f}" for size in sizes) for sizes in kept)
    assert f"| kept for the gradients by 24 blocks, GB; if all are computed again | {cells} |" in page
    largest = [line.split(" GB")[0].split()[-1] for line in bill(asked, None) if "at least" in line]
    largest += [
        line.split(" GB")[0].split()[-1] for line in bill(replace(asked, normals=True), None) if "at least" in line
    ]
    assert f"voxels, GB | {largest[0]} | {largest[1]} | {largest[3]} |" in page


def test_the_bill_comes_before_the_weights_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    (tmp_path / "mesh.ply").touch()
    command = ["train", "finetune", str(tmp_path), "--folder", str(tmp_path / "run")]
    assert main([*command, "--cost", "--normals"]) == 0
    bill = capsys.readouterr().out
    for expected in (
        "555.5 million values",
        "600.4 million values",
        "meshes: 1;",
        "| 24 GB (",
        "| 141 GB (",
        "a look at",
    ):
        assert expected in bill
    assert main([*command, "--what", "latents"]) == 1
    printed = capsys.readouterr()
    assert "structure-flow" not in printed.out
    names = ("trellis-normal-v0-1", "dinov2-with-registers-large", "trellis-image-large-encoders")
    assert f"{', '.join(names)} (4.2 GB)" in printed.err
    assert f"`python -m backend weights download {' '.join(names)}`" in printed.err
    assert not (tmp_path / "run").exists()
    assert main(["train", "finetune", str(tmp_path / "run"), str(tmp_path / "mesh.ply"), "--folder", "x"]) == 1
