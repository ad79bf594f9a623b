# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks start their training as the published ones did, and learn from there."""

from collections.abc import Callable

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.structure_decoder import ResidualBlock, StructureDecoder, StructureDecoderConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.deform_conv import DeformableConv2d
from backend.nn.sparse import Voxels
from backend.nn.sparse_blocks import SubdivideBlock
from backend.nn.sparse_conv import SparseConv

COORDS = torch.cat([torch.zeros(64, 1), torch.cartesian_prod(*[torch.arange(4)] * 3)], dim=1).int()


def structure_flow(*, half: bool = False) -> StructureFlow:
    torch.manual_seed(1)
    return StructureFlow(StructureFlowConfig(4, 3, 3, 96, 48, 2, 4, qk_rms_norm=True, use_fp16=half))


def latent_flow(*, half: bool = False) -> LatentFlow:
    torch.manual_seed(1)
    config = LatentFlowConfig(4, 3, 3, 96, 48, 2, 4, io_block_channels=[48], qk_rms_norm=True, use_fp16=half)
    return LatentFlow(config)


def velocity(flow: nn.Module, x: Tensor) -> Tensor:
    more = (Voxels(COORDS),) if isinstance(flow, LatentFlow) else ()
    tokens = torch.randn(1, 5, 48, generator=torch.Generator().manual_seed(2))
    assert isinstance(flow, LatentFlow | StructureFlow)
    return flow(x, flow.time(torch.tensor([500.0])), flow.contexts(tokens), *more)


@pytest.mark.parametrize("half", [False, True])
@pytest.mark.parametrize(
    ("made", "shape"), [(structure_flow, (1, 3, 4, 4, 4)), (latent_flow, (64, 3))], ids=["structure", "latents"]
)
def test_a_flow_model_starts_with_no_velocity(
    made: Callable[..., nn.Module], shape: tuple[int, ...], *, half: bool
) -> None:
    flow = made(half=half)
    for name, layer in flow.named_modules():
        if not isinstance(layer, nn.Linear):
            continue
        assert not layer.bias.any(), name
        weight = layer.weight.float()
        if name == "out_layer" or "adaLN" in name:
            assert not weight.any(), name
        elif name.startswith("t_embedder"):
            assert weight.std().item() == pytest.approx(0.02, rel=0.05), name
        else:
            reach = (6 / sum(weight.shape)) ** 0.5
            assert weight.abs().max().item() == pytest.approx(reach, rel=0.01), name
            assert weight.std().item() == pytest.approx(reach / 3**0.5, rel=0.05), name
    assert not velocity(flow, torch.randn(*shape)).any()


def test_the_latents_decoder_starts_with_no_features() -> None:
    decoder = LatentDecoder(LatentDecoderConfig(4, 256, 3, 1, 2, mlp_ratio=0.5, window_size=2))
    features, _ = decoder(torch.randn(64, 3), Voxels(COORDS))
    assert not features.any()
    block = SubdivideBlock(8, 4, groups=2)
    x = torch.randn(64, 8)
    skipped = block.skip_connection(x, Voxels(COORDS)).repeat_interleave(8, dim=0)
    torch.testing.assert_close(block(x, Voxels(COORDS)), skipped)


def test_a_residual_block_of_the_structures_decoder_starts_as_nothing() -> None:
    x = torch.randn(1, 6, 3, 3, 3)
    assert torch.equal(ResidualBlock(6)(x), x)


@pytest.mark.parametrize("size", [1, 3])
def test_a_sparse_convolution_starts_as_a_dense_one(size: int) -> None:
    torch.manual_seed(3)
    sparse, dense = SparseConv(32, 64, size).conv, nn.Conv3d(32, 64, size)
    for ours, theirs in ((sparse.weight, dense.weight), (sparse.bias, dense.bias)):
        assert ours.abs().max().item() == pytest.approx(theirs.abs().max().item(), rel=0.1)
        assert ours.std().item() == pytest.approx(theirs.std().item(), rel=0.25)


def test_a_deformable_convolution_starts_as_a_plain_one() -> None:
    layer, x = DeformableConv2d(3, 5, 3), torch.randn(1, 3, 7, 6)
    torch.testing.assert_close(layer(x), layer.regular_conv(x), rtol=1e-5, atol=1e-5)


def learned(network: nn.Module, loss: Callable[[], Tensor], steps: int = 40) -> float:
    """What is left of the loss after some steps, as a share of what it was."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3)
    first = loss().item()
    for _ in range(steps):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    return loss().item() / first


def test_a_flow_model_learns_a_velocity() -> None:
    for made, shape in ((structure_flow, (1, 3, 4, 4, 4)), (latent_flow, (64, 3))):
        flow = made()
        x, wanted = torch.randn(*shape), torch.randn(*shape)
        assert learned(flow, lambda flow=flow, x=x, wanted=wanted: (velocity(flow, x) - wanted).square().mean()) < 0.5


def test_the_decoders_learn() -> None:
    torch.manual_seed(4)
    structure = StructureDecoder(StructureDecoderConfig(1, 3, 1, (16, 8), num_res_blocks_middle=1))
    z, occupancy = torch.randn(1, 3, 4, 4, 4), torch.randint(0, 2, (1, 1, 8, 8, 8)).float()
    bce = nn.functional.binary_cross_entropy_with_logits
    assert learned(structure, lambda: bce(structure(z), occupancy)) < 0.8
    latents = LatentDecoder(LatentDecoderConfig(4, 256, 3, 1, 2, mlp_ratio=0.5, window_size=2))
    x = torch.randn(64, 3)
    wanted = x[:, :1].repeat_interleave(64, dim=0).expand(-1, 53)
    assert learned(latents, lambda: (latents(x, Voxels(COORDS))[0] - wanted).square().mean(), 20) < 0.5
