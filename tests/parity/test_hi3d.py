# SPDX-License-Identifier: GPL-3.0-or-later
"""Both stages of Hi3D as a whole: conditions, every step, the frames."""

import re
from pathlib import Path

import numpy as np
import pytest

from tests.parity import golden
from tests.parity.formulas import evaluate as evaluate_formula

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.models.aesthetic import score_from_published, seen_by_score
from backend.models.clip_tower import features, tower_from_openai
from backend.models.depth_channels import depth_channels, seen_by_depth
from backend.models.frame_latents import decoded, drawn_latents, image_latents
from backend.models.video_conditioning import HI3D_NOISE, hi3d_vector
from backend.models.video_sampler import Condition, blended, linear_guidance, sample_views
from backend.models.view_pictures import to_colours
from tests.parity.orbit_parts import EMBEDDER, Kept, assert_loop, evaluate_of, token_of, vae_of


def score_of(fixture: golden.Fixture, picture: torch.Tensor) -> torch.Tensor:
    prefix = f"{EMBEDDER}1."
    tower = tower_from_openai(fixture.weights(f"{prefix}aesthetic_model.visual."), 64, "quick_gelu", "the fixture")
    assert tower.config.patch_size == fixture.config["cp"]
    score = score_from_published(fixture.weights(f"{prefix}aesthetic_mlp."), "the fixture")
    return score.of(features(tower, seen_by_score(picture)))


def assert_condition(fixture: golden.Fixture, condition: Condition) -> None:
    ours = {"crossattn": condition.context[:1], "vector": condition.vector[:1], "concat": condition.concat}
    for name, tensor in ours.items():
        theirs = fixture.output(f"cond.{name}")
        kept = tensor[fixture.facts["concat_rows"]] if name == "concat" else tensor
        golden.assert_close(kept, theirs, 5e-6, 2e-4 if name == "vector" else 1e-5)
    blind = condition.blind()
    assert not blind.context.any()
    assert not blind.concat.any()
    golden.assert_close(blind.vector[:1], fixture.output("uncond.vector"), absolute=2e-4)


def assert_video(fixture: golden.Fixture, frames: torch.Tensor) -> None:
    video = to_colours(frames[fixture.facts["kept_frames"]]).astype(int)
    assert np.abs(video - fixture.output("video_u8").numpy()).max() <= 1


def depth_in_place_of_dpt(fixture: golden.Fixture, frames: torch.Tensor) -> torch.Tensor:
    """The formula that stands for DPT's depth, in the notes, of the channels R, G and B."""
    formula = re.search(r"depth = (.+?) of its input", fixture.facts["notes"])
    assert formula
    products = re.sub(r"(?<=[\w.]) (?=[RGB])", "*", formula[1])
    return evaluate_formula(products, dict(zip("RGB", frames.unbind(1), strict=True)))


@golden.each("hi3d_stage1")
@torch.inference_mode()
def test_the_first_stage(path: Path) -> None:
    fixture = golden.read(path)
    facts, noise = fixture.facts, fixture.input("noise")
    frames = len(noise)
    assert facts["cond_aug"] == HI3D_NOISE
    picture = fixture.input("image")[None]
    seen = picture + HI3D_NOISE * fixture.input("noise_aug")
    latent = image_latents(vae_of(fixture, f"{EMBEDDER}3.encoder."), seen, golden.no_report)
    condition = Condition(
        token_of(fixture, picture).expand(frames, -1, -1),
        latent.expand(frames, -1, -1, -1),
        hi3d_vector(facts["elevation_deg"], score_of(fixture, picture)).expand(frames, -1),
    )
    assert_condition(fixture, condition)

    kept = Kept()
    assert facts["guidance"][0] == 1
    guidance = linear_guidance(frames, facts["guidance"][1])
    evaluate, steps = evaluate_of(fixture, frames), facts["num_steps"]
    latents = sample_views(evaluate, noise, condition, guidance, steps, golden.no_report, watch=kept.watch)
    assert_loop(fixture, kept, latents)
    assert_video(fixture, decoded(vae_of(fixture, "first_stage_model."), latents, golden.no_report))


@golden.each("hi3d_stage2")
@torch.inference_mode()
def test_the_second_stage(path: Path) -> None:
    fixture = golden.read(path)
    facts, noise = fixture.facts, fixture.input("noise")
    given = fixture.input("frames").movedim(1, 0)
    frames, _, height, width = given.shape
    assert facts["cond_aug"] == HI3D_NOISE
    for name in ("noise", "noise_vae", "noise_aug"):
        if f"input.{name}.first1" in fixture.tensors:
            assert torch.equal(fixture.input(name)[:1], fixture.tensors[f"input.{name}.first1"])
    seen = given + HI3D_NOISE * fixture.input("noise_aug")
    shrunk = seen_by_depth(seen)
    golden.assert_outputs_close(fixture, {"dpt_in": shrunk}, ["dpt_in"], relative=5e-6)
    depth = depth_channels(depth_in_place_of_dpt(fixture, shrunk), height, width)
    latent = image_latents(vae_of(fixture, f"{EMBEDDER}3.encoder."), seen, golden.no_report)
    condition = Condition(
        token_of(fixture, given[:1]).expand(frames, -1, -1),
        torch.cat([depth, latent], dim=1),
        hi3d_vector(facts["elevation_deg"]).expand(frames, -1),
    )
    assert_condition(fixture, condition)

    vae = vae_of(fixture, "first_stage_model.")
    first = drawn_latents(vae, given, fixture.input("noise_vae"), golden.no_report)
    golden.assert_close(first[facts["kept_frames"]], fixture.output("z_frames"), 5e-6)
    kept, steps = Kept(), facts["num_steps"]
    latents = sample_views(
        evaluate_of(fixture, frames),
        noise,
        condition,
        linear_guidance(frames, facts["guidance"][1]),
        steps,
        golden.no_report,
        change=blended(first, noise, steps),
        watch=kept.watch,
    )
    assert_loop(fixture, kept, latents)
    assert_video(fixture, decoded(vae, latents, golden.no_report))
