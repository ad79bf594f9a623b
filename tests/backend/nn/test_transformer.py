# SPDX-License-Identifier: GPL-3.0-or-later
"""What the transformer keeps between evaluations changes no result; norms stay out of half precision."""

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor, nn

from backend.nn.layers import layer_norm32
from backend.nn.transformer import DiffusionTransformer, KeysValues

CHANNELS, CONTEXT, TOKENS, PICTURE = 24, 10, 7, 5


def network(dtype: torch.dtype = torch.float32) -> DiffusionTransformer:
    """A transformer with weights of such a size that every part changes the result."""
    torch.manual_seed(3)
    made = DiffusionTransformer(CHANNELS, CONTEXT, blocks=3, heads=2, qk_rms_norm=True)
    made.compute_in(dtype)
    for parameter in made.parameters():
        parameter.data = (torch.randn(parameter.shape) * 0.2).to(parameter.dtype)
    return made.requires_grad_(requires_grad=False).eval()


def state(batch: int) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(4)
    h = torch.randn(batch, TOKENS, CHANNELS, generator=generator)
    t = torch.rand(batch, generator=generator) * 1000
    return h, t, torch.randn(batch, PICTURE, CONTEXT, generator=generator)


def test_no_picture_is_a_picture_of_zeros() -> None:
    model = network()
    h, t, picture = state(2)
    without = model.transform(h, model.time(t), model.contexts(None))
    zeros = model.transform(h, model.time(t), model.contexts(torch.zeros_like(picture)))
    torch.testing.assert_close(without, zeros, rtol=1e-5, atol=1e-5)
    assert (without - model.transform(h, model.time(t), model.contexts(picture))).abs().max() > 0.01


def test_a_batch_gives_what_its_items_give_alone() -> None:
    model = network()
    h, t, picture = state(3)
    together = model.transform(h, model.time(t), model.contexts(picture))
    for i in range(3):
        alone = model.transform(h[i : i + 1], model.time(t[i : i + 1]), model.contexts(picture[i : i + 1]))
        torch.testing.assert_close(together[i : i + 1], alone, rtol=1e-5, atol=1e-5)
    shared = model.transform(h, model.time(t[:1]), model.contexts(picture[:1]))
    repeated = model.transform(h, model.time(t[:1].expand(3)), model.contexts(picture[:1].expand(3, -1, -1)))
    torch.testing.assert_close(shared, repeated, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_multiplies_in_half_and_norms_in_single(dtype: torch.dtype) -> None:
    model = network(dtype)
    exact = network()
    exact.load_state_dict({name: tensor.float() for name, tensor in model.state_dict().items()})
    linear = [part for block in model.blocks for part in block.modules() if isinstance(part, nn.Linear)]
    assert {part.weight.dtype for part in linear} == {dtype}
    single = {name for name, tensor in model.state_dict().items() if tensor.dtype == torch.float32}
    assert single == {
        *(name for name in model.state_dict() if "norm" in name),
        *(name for name in model.state_dict() if name.startswith("t_embedder")),
    }
    h, t, picture = state(2)
    found = model.transform(h.to(dtype), model.time(t), model.contexts(picture))
    assert found.dtype == dtype
    expected = exact.transform(h, exact.time(t), exact.contexts(picture))
    assert (found - expected).norm() < 10 * torch.finfo(dtype).eps * expected.norm()


def test_the_norm_of_large_half_numbers_does_not_overflow() -> None:
    x = torch.tensor([[30000.0, -30000.0, 10000.0, -10000.0]], dtype=torch.float16)
    expected = nn.functional.layer_norm(x.double(), (4,)).half()
    torch.testing.assert_close(layer_norm32(x, 1e-6), expected)


@torch.no_grad()
def test_a_time_is_embedded_once_for_all_samples() -> None:
    model = network()
    embedded: list[float] = []

    def note(part: nn.Module, given: tuple[Tensor]) -> None:
        embedded.append(given[0].item())

    model.t_embedder.register_forward_pre_hook(note)
    device = torch.device("cpu")
    kept = model.time_at(0.25, device)
    assert model.time_at(0.25, device) is kept
    assert embedded == [250.0]
    fresh = model.time(torch.tensor([250.0]))
    assert torch.equal(fresh.embedding, kept.embedding)
    assert all(map(torch.equal, fresh.modulations, kept.modulations))


@torch.no_grad()
def test_a_kept_time_is_of_the_networks_weights_and_dtype() -> None:
    device = torch.device("cpu")
    model, other = network(), network()
    before = model.time_at(0.5, device)
    for parameter in other.blocks.parameters():
        parameter.fill_(7)
    model.load_state_dict(other.state_dict())
    assert not torch.equal(model.time_at(0.5, device).modulations[0], before.modulations[0])
    model.compute_in(torch.float16)
    assert model.time_at(0.5, device).modulations[0].dtype == torch.float16
    kept = model.time_at(0.5, device)
    model.to(device)
    assert model.time_at(0.5, device) is not kept


@torch.no_grad()
def test_training_keeps_no_times() -> None:
    device = torch.device("cpu")
    model = network()
    kept = model.time_at(0.5, device)
    model.train()
    assert model.time_at(0.5, device) is not model.time_at(0.5, device)
    assert model.eval().time_at(0.5, device) is not kept
    with torch.enable_grad():
        assert model.time_at(0.5, device) is not model.time_at(0.5, device)


@torch.no_grad()
def test_no_more_times_are_kept_than_a_schedule_has() -> None:
    model = network()
    first = model.time_at(1.0, torch.device("cpu"))
    for i in range(200):
        model.time_at(i / 200, torch.device("cpu"))
    assert model.time_at(1.0, torch.device("cpu")) is not first


def test_one_context_serves_every_state_of_its_picture() -> None:
    model = network()
    _, _, picture = state(2)
    contexts = model.contexts(picture)
    assert len(contexts) == 3
    for context in contexts:
        assert isinstance(context, KeysValues)
        assert context.keys.shape == context.values.shape == (2, PICTURE, 2, CHANNELS // 2)
    assert [tuple(context.shape) for context in model.contexts(None) if isinstance(context, Tensor)] == [
        (CHANNELS,)
    ] * 3
