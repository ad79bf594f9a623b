# SPDX-License-Identifier: GPL-3.0-or-later
"""The numbers that sampling the frames of an orbit goes by: deviations, scalings, guidance, blend and vectors."""

from pathlib import Path

import pytest

from tests.parity import golden

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch

from backend.models.video_conditioning import hi3d_vector, plain_slot, score_slot, sv3d_angles, sv3d_vectors
from backend.models.video_sampler import (
    RHO,
    SIGMA_MAX,
    SIGMA_MIN,
    Condition,
    Scaling,
    blend_weights,
    linear_guidance,
    sample_views,
    sigmas,
    start_scale,
    triangle_guidance,
)


@golden.each("hi3d_tables")
def test_the_tables_are_what_was_published(path: Path) -> None:
    fixture = golden.read(path)
    facts = fixture.facts
    assert (facts["sigma_min"], facts["sigma_max"], facts["rho"]) == (SIGMA_MIN, SIGMA_MAX, RHO)
    ours = {
        "elevation_embedding": plain_slot(torch.tensor(facts["elevations_deg"])),
        "cond_aug_embedding": plain_slot(torch.tensor(facts["cond_aug"])),
    }
    for steps in facts["steps"]:
        deviations = sigmas(steps)
        scaling = Scaling.at(deviations[:-1])
        ours |= {
            f"sigmas.{steps}": deviations,
            f"c_skip.{steps}": scaling.skip,
            f"c_out.{steps}": scaling.out,
            f"c_in.{steps}": scaling.into,
            f"c_noise.{steps}": scaling.noise,
            f"alpha.{steps}": torch.tensor(blend_weights(steps), dtype=torch.float64),
            f"init_scale.{steps}": start_scale(deviations),
        }
    for strongest in facts["max_scales"]:
        ours[f"guidance.{strongest}"] = linear_guidance(facts["frames"], strongest)
    golden.assert_outputs_close(fixture, ours, needed=ours, relative=5e-6)
    slots = score_slot(torch.tensor(facts["aesthetic_scores"]))
    golden.assert_close(slots, fixture.output("aesthetic_embedding"), absolute=2e-4)


def test_guidance_ends_where_the_picture_is() -> None:
    assert triangle_guidance(21, 2.5)[[0, 10, 20]].tolist() == [1, 2.5, 1]
    assert linear_guidance(16, 2.0)[[0, 15]].tolist() == [1, 2]


def test_vectors_have_the_published_widths() -> None:
    assert hi3d_vector(20).shape == (1, 512)
    assert hi3d_vector(20, torch.tensor([5.0])).shape == (1, 768)
    assert sv3d_vectors(21).shape == (21, 256)
    assert sv3d_vectors(21, *sv3d_angles([10.0] * 21, [0.0] * 21)).shape == (21, 1280)


def test_both_branches_are_reported_one_at_a_time() -> None:
    reports: list[tuple[int, int]] = []
    asked: list[tuple[bool, int]] = []

    def evaluate(sample: torch.Tensor, timestep: torch.Tensor, condition: Condition) -> torch.Tensor:
        assert timestep.shape == (3,)
        asked.append((bool(condition.context.any()), reports[-1][0]))
        return sample[:, :4]

    condition = Condition(torch.ones(3, 1, 2), torch.ones(3, 4, 2, 2), torch.ones(3, 5))
    noise = torch.ones(3, 4, 2, 2)

    def report(step: int, of: int) -> None:
        reports.append((step, of))

    latents = sample_views(evaluate, noise, condition, torch.ones(3), 2, report)
    assert latents.shape == noise.shape
    assert asked == [(False, 0), (True, 1), (False, 2), (True, 3)]
    assert reports == [(i, 4) for i in range(5)]
