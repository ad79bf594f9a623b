# SPDX-License-Identifier: GPL-3.0-or-later
"""SV3D as a whole, on the plain circle (u) and on any orbit (p): conditions, every step, the frames."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch

from backend.models.frame_latents import decoded, image_latents
from backend.models.video_conditioning import SV3D_NOISE, even_azimuths, sv3d_angles, sv3d_vectors
from backend.models.video_sampler import Condition, sample_views, triangle_guidance
from tests.parity.orbit_parts import EMBEDDER, Kept, assert_loop, evaluate_of, token_of, vae_of


@golden.each("sv3d_u")
def test_the_plain_circle(path: Path) -> None:
    fixture = golden.read(path)
    assert_orbit(fixture, sv3d_vectors(fixture.facts["num_frames"]))


@golden.each("sv3d_p")
def test_any_orbit(path: Path) -> None:
    fixture = golden.read(path)
    frames, elevations = fixture.facts["num_frames"], fixture.config["elev"]
    each = elevations if isinstance(elevations, list) else [elevations] * frames
    angles = sv3d_angles(each, fixture.config["az"] or even_azimuths(frames))
    assert_orbit(fixture, sv3d_vectors(frames, *angles))


@torch.inference_mode()
def assert_orbit(fixture: golden.Fixture, vector: torch.Tensor) -> None:
    """The whole loop is the fixture's with the vectors of its frames."""
    facts, noise = fixture.facts, fixture.input("noise")
    frames = facts["num_frames"]
    assert facts["cond_aug"] == SV3D_NOISE
    picture = fixture.input("image")[None]
    seen = picture + SV3D_NOISE * fixture.input("noise_aug")
    latent = image_latents(vae_of(fixture, f"{EMBEDDER}1.encoder."), seen, golden.no_report)
    token = token_of(fixture, picture)
    guidance = triangle_guidance(frames, 2.5)
    ours = {"vector": vector, "crossattn": token, "concat": latent, "guidance": guidance}
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=5e-6)

    condition = Condition(token.expand(frames, -1, -1), latent.expand(frames, -1, -1, -1), vector)
    evaluate, kept = evaluate_of(fixture, frames), Kept()
    latents = sample_views(evaluate, noise, condition, guidance, facts["num_steps"], golden.no_report, watch=kept.watch)
    assert_loop(fixture, kept, latents)

    shown = decoded(vae_of(fixture, "first_stage_model."), latents, golden.no_report) / 2 + 0.5
    shown[-1] = picture[0] / 2 + 0.5
    golden.assert_close(shown.clamp(0, 1)[facts["kept_frames"]], fixture.output("frames01"), 0, 1e-4)
