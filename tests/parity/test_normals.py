# SPDX-License-Identifier: GPL-3.0-or-later
"""The normal estimator computes what the published pipeline computes, from the picture to the picture of the map.

The fixture's small networks are badly conditioned: their norms are over two numbers, and they decode to vectors of a
length of 0.02, which are then made unit. So each network gets its published input. From end to end, rounding alone
moves the control branch by 4e-5 (in double precision it is as far from the published numbers); there vectors are
compared at their decoded length, and to 1e-4.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import save_file
from torch import Tensor

from backend.engines.hi3dgen.pictures import RESOLUTION, estimate, estimator_input, to_normal_map, to_picture
from backend.errors import UserError
from backend.flow.products import Crop, Cutout
from backend.models.normal_estimator import (
    PARTS,
    ControlEncoder,
    Estimator,
    build_estimator,
    decode,
    denoise,
    encode,
    load_estimator,
    predict,
    unit,
)


def estimator_of(fixture: golden.Fixture) -> Estimator:
    published = {part: golden.published(f"normal_{part}") for part in PARTS}
    tensors = {part: fixture.weights_like(published[part], f"{part}.") for part in PARTS}
    return build_estimator(fixture.config, tensors, torch.float32, "the fixture")


def as_pixels(colours: NDArray[np.uint8]) -> Tensor:
    return torch.tensor(colours).movedim(-1, 0)[None].float() / 255 * 2 - 1


def size_of(rgba: Tensor) -> tuple[int, int]:
    return rgba.shape[1], rgba.shape[0]


@golden.each("normal_postprocess")
def test_the_estimators_input_and_the_picture_of_its_answer(path: Path) -> None:
    fixture = golden.read(path)
    rgba = fixture.input("rgba")
    colours, alpha = estimator_input(rgba.numpy(), fixture.facts["resolution"])
    np.testing.assert_array_equal(colours, fixture.output("model_rgb_input").numpy())
    picture = to_picture(to_normal_map(fixture.input("prediction")[0].numpy(), alpha), size_of(rgba))
    np.testing.assert_array_equal(picture, fixture.output("normal_rgb").numpy())


@golden.each("normal_yoso")
@torch.inference_mode()
def test_each_network(path: Path) -> None:
    fixture = golden.read(path)
    estimator = estimator_of(fixture)
    if fixture.has_input("rgba"):
        colours, _ = estimator_input(fixture.input("rgba").numpy(), resolution_of(fixture))
        np.testing.assert_array_equal(colours, fixture.output("pipeline_rgb_input").numpy())
        pixels = as_pixels(colours)
    else:
        pixels = fixture.input("image", deviation=3**-0.5)
    latent = fixture.output("image_latent")
    features, middle = estimator.control(latent)
    ours = {
        "image_latent": encode(estimator, pixels),
        "controlnet_mid": middle,
        "controlnet_mid_mean_c": middle.mean((2, 3)),
        "controlnet_down0": features[0],
        "controlnet_down_last": features[-1],
        "unet_out": denoise(estimator, latent, features, middle),
    }
    golden.assert_outputs_close(fixture, ours, needed=["image_latent", "controlnet_down0", "unet_out"])
    decoded = decode(estimator, fixture.output("unet_out"))
    golden.assert_outputs_close(fixture, {"decoded": decoded}, absolute=2e-5)
    if fixture.has_output("prediction"):
        assert_vectors_close(estimator, fixture, unit(decoded)[0].movedim(0, -1), 1e-5)
    for name in fixture.outputs:
        if name.startswith("normals_stride"):
            golden.assert_close(unit(fixture.output(name.replace("normals", "decoded"))), fixture.output(name))


def resolution_of(fixture: golden.Fixture) -> int:
    """The longer side that the networks see. Skips the test if the pipeline resizes once more, unlike the engine."""
    resolution = fixture.facts["resolution"]
    if fixture.facts.get("default_processing_resolution", resolution) != resolution:
        pytest.skip("the fixture's pipeline works at another resolution than it is asked for")
    return resolution


@golden.each("normal_yoso", with_weights=True)
def test_from_end_to_end(path: Path) -> None:
    fixture = golden.read(path)
    estimator, rgba = estimator_of(fixture), fixture.input("rgba")
    colours, alpha = estimator_input(rgba.numpy(), resolution_of(fixture))
    normals = predict(estimator, torch.tensor(colours), golden.no_report).numpy()
    assert_vectors_close(estimator, fixture, torch.from_numpy(normals), 1e-4)
    picture = to_picture(to_normal_map(normals, alpha), size_of(rgba)).astype(int)
    difference = np.abs(picture - fixture.output("normal_rgb").numpy())
    assert difference.max() <= 1
    assert (difference > 0).mean() < 2e-3


def assert_vectors_close(estimator: Estimator, fixture: golden.Fixture, ours: Tensor, tolerance: float) -> None:
    with torch.inference_mode():
        decoded = decode(estimator, fixture.output("unet_out"))[0].movedim(0, -1)
    length = decoded.norm(dim=-1, keepdim=True)
    golden.assert_close(ours * length, fixture.output("prediction")[0] * length, absolute=tolerance)


@golden.each("normal_yoso", with_weights=True)
def test_the_folder_that_is_on_the_hub(path: Path, tmp_path: Path) -> None:
    """In half precision there, and computed in any; and the result is in the artist's axes."""
    fixture = golden.read(path)
    for part in PARTS:
        (tmp_path / part).mkdir()
        published = {"_class_name": "ControlNetVAEModel", "_diffusers_version": "0.28.0"} if "control" in part else {}
        (tmp_path / part / "config.json").write_text(json.dumps({**published, **fixture.config[part]}))
        halves = {name: tensor.half() for name, tensor in fixture.weights(f"{part}.").items()}
        save_file(halves, tmp_path / part / "diffusion_pytorch_model.fp16.safetensors")
    estimator = load_estimator(tmp_path)
    assert {weight.dtype for weight in estimator.unet.parameters()} == {torch.float16}
    estimator = estimator.to("cpu", torch.float32)
    rgba = fixture.input("rgba").numpy()
    normal_map = estimate(estimator, Cutout(rgba, Crop(0, 0, max(rgba.shape), *rgba.shape[1::-1])), golden.no_report)
    theirs = predict(estimator, torch.tensor(estimator_input(rgba)[0]), golden.no_report).numpy()
    assert max(normal_map.alpha.shape) == RESOLUTION
    assert normal_map.normals.shape == (*normal_map.alpha.shape, 3)
    np.testing.assert_array_equal(normal_map.normals, theirs * np.float32([-1, 1, 1]))
    np.testing.assert_allclose(np.linalg.norm(normal_map.normals, axis=-1), 1, atol=1e-5)
    (tmp_path / "unet" / "config.json").unlink()
    with pytest.raises(UserError, match="not there"):
        load_estimator(tmp_path)


@golden.each("normal_yoso", with_weights=True)
@pytest.mark.parametrize(
    ("part", "name", "named"),
    [
        ("unet", "conv_in.bias", "the tensor conv_in.bias is missing"),
        ("controlnet", "mid_block.resnets.0.conv1.weight", "mid_block.resnets.0.conv1.weight is missing"),
        ("vae", "decoder.conv_out.bias", "decoder.conv_out.bias is missing"),
    ],
)
def test_a_tensor_that_does_not_fit_is_named(path: Path, part: str, name: str, named: str) -> None:
    fixture = golden.read(path)
    tensors = {part: fixture.weights(f"{part}.") for part in PARTS}
    foreign = {**tensors, part: {**tensors[part], "controlnet_more.weight": torch.zeros(1)}}
    with pytest.raises(UserError, match="no place for the tensor controlnet_more"):
        build_estimator(fixture.config, foreign, torch.float32, "the fixture")
    del tensors[part][name]
    with pytest.raises(UserError, match=named):
        build_estimator(fixture.config, tensors, torch.float32, "the fixture")


def test_the_published_checkpoints_have_a_place_for_every_tensor() -> None:
    published = {part: golden.published(f"normal_{part}") for part in PARTS}
    configs = {part: golden.manifest(f"normal_{part}")["config"] for part in PARTS}
    with torch.device("meta"):
        control = ControlEncoder(configs["controlnet"])
    assert control.unused == set(golden.manifest("normal_controlnet")["unread"])
    assert len(control.unused) == 42
    build_estimator(configs, published, torch.float16, "the manifest")
