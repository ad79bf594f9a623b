# SPDX-License-Identifier: GPL-3.0-or-later
"""BiRefNet has the published tensors, and computes with made-up ones what the published code computes with them."""

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor
from weights_by_rule import input_by_rule

from backend.models.birefnet import TRAINING_ONLY, BiRefNet, BiRefNetConfig
from backend.nn.checkpoint import fill

GOLDEN = torch.tensor(
    [
        [-0.9739492, -1.6820782, -1.1698203, -1.3915064, -1.8649907, -1.6475862],
        [-1.5627871, -1.7948141, -0.3900657, -0.9734547, -1.7863930, -0.9796154],
        [-1.3859795, -0.6362108, -1.1086320, -0.4503280, -1.2354598, -1.3856455],
        [-1.4266003, -0.4797526, -1.1550425, -0.9833078, -1.0337824, -1.1087396],
    ]
)
"""The published code's (ZhengPeng7/BiRefNet at 25cb930) log-odds at every 16th pixel, from the one at (8, 8) on."""


def weights(network: BiRefNet) -> dict[str, Tensor]:
    """Weights from the tensors' names and shapes, of such sizes that every tensor changes the result."""
    made = network.state_dict()
    for name, tensor in made.items():
        if tensor.is_floating_point():
            shape, fan = tuple(tensor.shape), max(1, tensor[0].numel())
            about_one = name.endswith(("running_var", ".weight")) and len(shape) == 1
            if len(shape) == 1:
                deviation = 0.2
            elif name.endswith("bias_table"):
                deviation = 1.0
            else:
                deviation = (3.0 if "offset_conv" in name else 1.2) / fan**0.5
            made[name] = about_one + input_by_rule(name, shape, deviation=deviation)
    return made


def test_the_published_checkpoint_has_a_place_for_every_tensor() -> None:
    published = golden.published("birefnet")
    with torch.device("meta"):
        network = BiRefNet(BiRefNetConfig())
    expected = {name: tensor for name, tensor in published.items() if name not in TRAINING_ONLY}
    assert golden.forms(network.state_dict()) == golden.forms(expected)
    assert published.keys() - expected.keys() == TRAINING_ONLY
    fill(network, published, "the manifest", TRAINING_ONLY)


@torch.inference_mode()
def test_what_the_published_code_computes() -> None:
    config = BiRefNetConfig(embed_dim=16, depths=(2, 1, 3, 2), num_heads=(2, 4, 2, 8), window_size=4)
    network = BiRefNet(config)
    fill(network, weights(network), "the rule")
    logits = network(input_by_rule("picture", (1, 3, 64, 96)))
    assert logits.shape == (1, 1, 64, 96)
    golden.assert_close(logits[0, 0, 8::16, 8::16], GOLDEN, relative=1e-5)
