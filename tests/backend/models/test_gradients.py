# SPDX-License-Identifier: GPL-3.0-or-later
"""Every network can be trained: gradients reach each parameter, are right, and change no result."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.models.birefnet import BiRefNet, BiRefNetConfig
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_encoder import LatentEncoder, LatentEncoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig
from backend.models.normal_estimator import (
    ControlEncoder,
    Estimator,
    decode,
    denoise,
    encode,
    fold_cross_attention,
    unit,
)
from backend.models.structure_decoder import StructureDecoder, StructureDecoderConfig
from backend.models.structure_encoder import StructureEncoder, StructureEncoderConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn import sparse_conv
from backend.nn.posterior import Posterior
from backend.nn.sparse import Voxels

TOGETHER = 8  # parameters that are moved at once


@dataclass(frozen=True)
class Trained:
    """A network, and its result as a function of its parameters alone.

    unused: a pattern of the parameters that the result does not depend on. step: how far parameters are moved; less if
    the network has kinks (ReLU, readings between pixels).
    """

    network: nn.Module
    forward: Callable[[], Tensor]
    unused: str = "nothing"
    step: float = 1e-5


def randomised(network: nn.Module, deviation: float = 0.4) -> nn.Module:
    """The network in float64 with random weights, so that gradients are not zero where training starts at zero."""
    generator = torch.Generator().manual_seed(1)
    network.double().eval()
    for name, parameter in network.named_parameters():
        fan = max(1, parameter[0].numel() if parameter.ndim > 1 else 4)
        values = torch.randn(parameter.shape, generator=generator) * deviation * 2 / fan**0.5
        parameter.data = (values + (parameter.ndim == 1 and name.endswith("weight"))).double()
    return network


def numbers(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def voxels_of(gathered: int = 2**26) -> Voxels:
    """Two objects of 30 and 7 voxels in a grid of 4."""
    generator = torch.Generator().manual_seed(3)
    rows = [
        torch.stack([torch.full_like(flat, item), *torch.unravel_index(flat, (4, 4, 4))], dim=1)
        for item, count in enumerate((30, 7))
        for flat in [torch.randperm(64, generator=generator)[:count].sort().values]
    ]
    return Voxels(torch.cat(rows).int(), 2, gathered)


def structure_flow(*, seen: bool) -> Trained:
    flow = StructureFlow(StructureFlowConfig(4, 3, 3, 12, 6, 2, 2, mlp_ratio=2, patch_size=2, qk_rms_norm=True))
    randomised(flow)
    flow.compute_in(torch.float64)
    x, t, tokens = numbers(2, 3, 4, 4, 4), torch.tensor([300.0, 900.0]), numbers(2, 5, 6)
    unused = "nothing" if seen else r"norm2|cross_attn\.(to_q|to_kv\.weight)"
    return Trained(flow, lambda: flow(x, flow.time(t), flow.contexts(tokens if seen else None)), unused)


def structure_decoder() -> Trained:
    decoder = StructureDecoder(StructureDecoderConfig(1, 3, 1, (6, 4), num_res_blocks_middle=1))
    randomised(decoder)
    decoder.compute_in(torch.float64)
    z = numbers(2, 3, 3, 3, 3)
    return Trained(decoder, lambda: decoder(z))


def structure_encoder() -> Trained:
    encoder = StructureEncoder(StructureEncoderConfig(1, 3, 1, (4, 6), num_res_blocks_middle=1))
    randomised(encoder)
    encoder.compute_in(torch.float64)
    occupancy = (numbers(2, 1, 6, 6, 6) > 0).double()
    return Trained(encoder, lambda: of_posterior(encoder(occupancy)))


def latent_encoder() -> Trained:
    encoder = LatentEncoder(LatentEncoderConfig(4, 5, 12, 3, 2, 2, mlp_ratio=2, window_size=2, qk_rms_norm=True))
    randomised(encoder)
    encoder.compute_in(torch.float64)
    features, voxels = numbers(37, 5), voxels_of()
    return Trained(encoder, lambda: of_posterior(encoder(features, voxels)))


def of_posterior(found: Posterior) -> Tensor:
    return torch.stack([found.mean, found.logvar])


def latent_flow(gathered: int = 2**26) -> Trained:
    config = LatentFlowConfig(8, 3, 3, 12, 6, 1, 2, mlp_ratio=2, io_block_channels=[5], qk_rms_norm=True)
    flow = LatentFlow(config)
    randomised(flow)
    flow.compute_in(torch.float64)
    voxels = voxels_of(gathered)
    x, t, tokens = numbers(37, 3), torch.tensor([300.0, 900.0]), numbers(2, 5, 6)
    return Trained(flow, lambda: flow(x, flow.time(t), flow.contexts(tokens), voxels))


def latent_decoder() -> Trained:
    config = LatentDecoderConfig(4, 256, 3, 2, 2, mlp_ratio=0.1, window_size=2)
    decoder = LatentDecoder(config)
    randomised(decoder)
    decoder.compute_in(torch.float64)
    latents, voxels = numbers(37, 3), voxels_of()
    return Trained(decoder, lambda: decoder(latents, voxels)[0])


def birefnet() -> Trained:
    sizes = BiRefNetConfig(4, (1, 2, 1, 1), (1, 1, 2, 2), 3, inter_channels=6, aspp_channels=6, image_size=64)
    network = randomised(BiRefNet(sizes))
    picture = numbers(2, 3, 64, 96)
    return Trained(network, lambda: network(picture), step=1e-7)


def normal_estimator() -> Trained:
    pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    vae: Any = AutoencoderKL(
        block_out_channels=(4, 8),
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        norm_num_groups=2,
    )
    down = ("CrossAttnDownBlock2D", "DownBlock2D")
    sizes: dict[str, Any] = {"block_out_channels": (4, 8), "layers_per_block": 1, "norm_num_groups": 2}
    sizes |= {"cross_attention_dim": 6, "attention_head_dim": (1, 2), "down_block_types": down}
    unet: Any = UNet2DConditionModel(**sizes, up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"))
    whole = nn.ModuleDict({"vae": vae, "control": ControlEncoder(sizes), "unet": unet})
    randomised(fold_cross_attention(whole))
    estimator: Any = Estimator(vae, whole["control"], unet)
    picture = numbers(1, 3, 16, 24).tanh()

    def forward() -> Tensor:
        latent = encode(estimator, picture)
        return unit(decode(estimator, denoise(estimator, latent, *estimator.control(latent))))

    return Trained(whole, forward)


NETWORKS: dict[str, Callable[[], Trained]] = {
    "structure flow": partial(structure_flow, seen=True),
    "structure flow without a picture": partial(structure_flow, seen=False),
    "structure decoder": structure_decoder,
    "structure encoder": structure_encoder,
    "latent encoder": latent_encoder,
    "latent flow": latent_flow,
    "latent flow in small pieces": partial(latent_flow, 2**10),
    "latent decoder": latent_decoder,
    "BiRefNet": birefnet,
    "normal estimator": normal_estimator,
}
each_network = pytest.mark.parametrize("made", NETWORKS.values(), ids=NETWORKS.keys())


def loss_of(output: Tensor) -> Tensor:
    """A number to which each element of the output contributes differently."""
    return (output * numbers(*output.shape, seed=5)).mean() + output.square().mean()


def test_a_sparse_convolution_on_other_devices_than_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sparse_conv, "sum_present", sparse_conv.sum_at_once)
    for made in (latent_flow, latent_decoder):
        assert_gradients_are_finite_differences(made())


@each_network
def test_gradients_are_finite_differences(made: Callable[[], Trained]) -> None:
    assert_gradients_are_finite_differences(made())


def assert_gradients_are_finite_differences(trained: Trained) -> None:
    """Along random directions, of a few parameters each: an error in one of them would be missed by chance alone."""
    loss_of(trained.forward()).backward()
    parameters = [(name, x, x.grad) for name, x in trained.network.named_parameters() if x.grad is not None]
    for start in range(0, len(parameters), TOGETHER):
        moved = parameters[start : start + TOGETHER]
        directions = [numbers(*parameter.shape, seed=start + i) for i, (_, parameter, _) in enumerate(moved)]
        expected = sum((gradient * along).sum().item() for (*_, gradient), along in zip(moved, directions, strict=True))
        losses: list[float] = []
        with torch.no_grad():
            for step in (trained.step, -trained.step):
                for (_, parameter, _), along in zip(moved, directions, strict=True):
                    parameter.add_(step * along)
                losses.append(loss_of(trained.forward()).item())
                for (_, parameter, _), along in zip(moved, directions, strict=True):
                    parameter.sub_(step * along)
        found = (losses[0] - losses[1]) / (2 * trained.step)
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-8), [name for name, *_ in moved]


@each_network
def test_every_parameter_gets_a_gradient(made: Callable[[], Trained]) -> None:
    trained = made()
    loss_of(trained.forward()).backward()
    for name, parameter in trained.network.named_parameters():
        if re.search(trained.unused, name):
            assert parameter.grad is None, name
        else:
            assert parameter.grad is not None, name
            assert bool(parameter.grad.isfinite().all()), name
            assert bool(parameter.grad.any()), name


@each_network
def test_gradients_change_no_result(made: Callable[[], Trained]) -> None:
    trained = made()
    with_gradients = trained.forward()
    # torch's own attention takes another kernel if its bias is trained.
    rounding = 1e-12 if isinstance(trained.network, BiRefNet) else 0.0
    for without in (torch.no_grad(), torch.inference_mode()):
        with without:
            torch.testing.assert_close(trained.forward(), with_gradients, rtol=rounding, atol=rounding)
