# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of pictures under their published names become those of diffusers and transformers, tensor by tensor."""

from pathlib import Path
from typing import Any

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.errors import UserError
from backend.models.clip_pixels import clip_pixels
from backend.models.clip_tower import REMNANTS, features, tower_from_openai, tower_place
from backend.models.ldm_names import SCALING, vae_from_ldm, vae_place
from backend.models.published import to_published


def enlarged(lowres: torch.Tensor, size: list[int]) -> torch.Tensor:
    """A picture (1, 3, H, W) by bilinear interpolation between the corners."""
    return torch.nn.functional.interpolate(lowres[None], size, mode="bilinear", align_corners=True)


def tower_of(fixture: golden.Fixture, prefix: str) -> Any:
    sizes = fixture.facts["clip"]
    width = sizes["head_width"] if "head_width" in sizes else sizes["width"] // sizes["heads"]
    return tower_from_openai(fixture.weights(f"{prefix}visual."), width, sizes["act"], "the fixture")


@golden.each("hi3d_vae")
def test_the_autoencoder_computes_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    network: Any = vae_from_ldm(fixture.weights("first_stage_model."), "the fixture")
    assert list(network.config["block_out_channels"]) == [fixture.config["ch"] * m for m in fixture.config["ch_mult"]]
    with torch.inference_mode():
        coded = network.encode(fixture.input("image")).latent_dist
        ours = {
            "moments": coded.parameters,
            "mode": coded.mode(),
            "sample_times_scale": SCALING * (coded.mean + coded.std * fixture.input("noise")),
            "decoded": network.decode(fixture.input("latent") / fixture.facts["scale_factor"]).sample,
        }
    assert fixture.facts["scale_factor"] == SCALING
    golden.assert_outputs_close(fixture, ours, needed=fixture.outputs, relative=5e-6)


@golden.each("hi3d_clip")
def test_the_picture_tower_sees_and_computes_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    network = tower_of(fixture, "conditioner.embedders.0.open_clip.model.")
    ours: dict[str, torch.Tensor] = {}
    with torch.inference_mode():
        for i, size in enumerate(fixture.facts["sizes"]):
            picture = enlarged(fixture.input(f"lowres{i}"), size)
            ours[f"pixels{i}"] = clip_pixels(picture)
            ours[f"pixels_plain{i}"] = clip_pixels(picture, blurred=False)
            ours[f"embedding{i}"] = features(network, ours[f"pixels{i}"])
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=5e-6)


def test_every_published_tensor_of_an_autoencoder_is_used_once_and_comes_back() -> None:
    published = golden.full("full_hi3d_stage1", "first_stage_model.")
    assert len(published) == 248
    network = vae_from_ldm(published, "the manifest")
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == 83_653_863
    back = to_published(network.state_dict(), lambda name: vae_place(name, 4))
    assert golden.forms(back) == golden.forms(published)


@pytest.mark.parametrize(
    ("prefix", "head", "values"),
    [
        ("conditioner.embedders.0.open_clip.model.", 80, 632_076_800),
        ("conditioner.embedders.1.aesthetic_model.", 64, 303_966_208),
    ],
)
def test_every_published_tensor_of_a_picture_tower_is_used_once_and_comes_back(
    prefix: str, head: int, values: int
) -> None:
    published = golden.full("full_hi3d_stage1", f"{prefix}visual.")
    network = tower_from_openai(published, head, "gelu", "the manifest")
    assert sum(tensor.numel() for tensor in network.state_dict().values()) == values
    assert golden.forms(to_published(network.state_dict(), tower_place)) == golden.forms(published)
    others = {name for name in golden.full("full_hi3d_stage1", prefix) if not name.startswith("visual.")}
    assert others == REMNANTS


@golden.each("hi3d_clip")
def test_the_values_of_a_picture_tower_come_back_as_they_were(path: Path) -> None:
    published = golden.read(path).weights("conditioner.embedders.0.open_clip.model.visual.")
    back = to_published(
        tower_of(golden.read(path), "conditioner.embedders.0.open_clip.model.").state_dict(), tower_place
    )
    assert back.keys() == published.keys()
    assert all(torch.equal(back[name], published[name]) for name in published)


@pytest.mark.parametrize("fault", ["missing", "unknown", "another shape"])
def test_a_checkpoint_that_does_not_fit_is_refused_with_the_tensors_name(fault: str) -> None:
    tensors = dict(golden.full("full_hi3d_stage1", "first_stage_model."))
    name = "encoder.mid.attn_1.q.weight"
    if fault == "missing":
        del tensors[name]
    elif fault == "unknown":
        name = "encoder.mid.attn_2.q.weight"
        tensors[name] = torch.empty(4, device="meta")
    else:
        tensors[name] = torch.empty(4, 4, 1, 1, device="meta")
    with pytest.raises(UserError) as caught:
        vae_from_ldm(tensors, "the manifest")
    named = name if fault == "unknown" else "encoder.mid_block.attentions.0.to_q.weight"
    assert caught.value.code == "weights-mismatch"
    assert named in caught.value.sentence
