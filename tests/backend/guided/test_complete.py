# SPDX-License-Identifier: GPL-3.0-or-later
"""Unseen sides are drawn from the plan to the image, on tiny random networks."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from backend.arrays import UInt8Array
from backend.errors import Cancelled, UserError
from backend.flow.products import Cutout, Mesh, Noted
from backend.guided.baking import drawn
from backend.guided.complete import Settings, complete, draw, encoded, read, scene_of
from backend.guided.directions import EMPTY, direction_of
from backend.guided.distillation import distance
from backend.guided.front import reference_of
from backend.guided.networks import networks
from backend.guided.planning import plan
from backend.guided.progress import Progress
from backend.guided.recipe import Recipe
from backend.guided.refine import Refinement, refine
from backend.guided.rendering import render
from backend.guided.sampling import Texts
from backend.guided.unseen import MISSING, draw_unseen
from backend.models.depth_diffusion import DepthDiffusion
from backend.nn.device import Compute
from backend.nn.memory_plan import NetworkPool
from backend.raster.ticks import unwatched
from backend.texture.bake import SQUARE
from backend.weights.catalogue import GUIDED
from tests.backend.texture.test_paint import ignore
from tests.parity.golden import watched

LAST_LAYER = 3  # of the tiny UNet's four
RECIPE = Recipe(steps=4, stop=2, first_injected=1, first_layer=LAST_LAYER)
QUICK = Settings(RECIPE, views=2, size=64)
CPU = Compute(torch.device("cpu"), torch.float32)


def image_of(mesh: Mesh | Noted) -> UInt8Array:
    assert isinstance(mesh, Mesh)
    assert mesh.texture is not None
    assert mesh.texture.base_colour is not None
    return mesh.texture.base_colour


def changed(one: Mesh | Noted, other: Mesh | Noted, painted: tuple[Mesh, Cutout]) -> tuple[float, float]:
    """Of the texels that the picture shows squarely, and of those that it does not show: the share that differs."""
    texels = scene_of(*painted, Progress(ignore)).texels
    differ = (image_of(one) != image_of(other)).any(axis=2).reshape(-1)[texels.pixels]
    return float(differ[texels.seen > SQUARE].mean()), float(differ[texels.seen == 0].mean())


@pytest.mark.parametrize("recipe", [RECIPE, replace(RECIPE, symmetric=True)], ids=["swap", "symmetric"])
def test_what_the_picture_does_not_show_is_drawn(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor], recipe: Recipe
) -> None:
    steps: list[tuple[int, int]] = []
    settings = replace(QUICK, recipe=recipe)

    def report(done: int, of: int) -> None:
        steps.append((done, of))

    mesh = complete(*painted, network, contexts, settings, report)
    front, unseen = changed(painted[0], mesh, painted)
    assert front < 0.01  # rounding
    assert unseen > 0.5
    assert mesh.uv is painted[0].uv
    assert [done / of for done, of in steps] == sorted(done / of for done, of in steps)
    inverted = 2 if recipe.symmetric else 1
    backward = 2 if recipe.symmetric else 4
    assert steps[-1] == (2 * backward + 2 * (inverted + backward + 1) + 1,) * 2
    again = complete(*painted, network, contexts, settings, ignore)
    np.testing.assert_array_equal(image_of(mesh), image_of(again))


def test_the_text_the_reference_and_the_depth_matter(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    one = replace(QUICK, views=1)
    mesh = complete(*painted, network, contexts, one, ignore)
    others = {
        "no guidance": ({EMPTY: contexts[EMPTY]}, RECIPE),
        "another text": ({name: context + 1 if name else context for name, context in contexts.items()}, RECIPE),
        "no injection": (contexts, replace(RECIPE, first_injected=4)),
        "the levels of the released program": (contexts, replace(RECIPE, as_published=True)),
    }
    for name, (texts, recipe) in others.items():
        other = complete(*painted, network, texts, replace(one, recipe=recipe), ignore)
        assert changed(mesh, other, painted)[1] > 0.3, name


def test_with_everything_seen_nothing_is_asked(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    asked = watched(network.unet)
    mesh = complete(*painted, network, contexts, replace(QUICK, enough=1.0), ignore)
    assert not asked
    assert changed(painted[0], mesh, painted)[1] < 0.01


def test_it_ends_whenever_somebody_ends_it(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    count = 0

    def report(_step: int, _of: int) -> None:
        nonlocal count
        count += 1
        if count == last:
            raise Cancelled

    last = 0
    complete(*painted, network, contexts, QUICK, report)
    for last in (1, count // 2, count):
        count = 0
        with pytest.raises(Cancelled):
            complete(*painted, network, contexts, QUICK, report)
        assert count == last


def test_numbers_that_are_not_finite_are_refused(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    broken = {name: context * float("nan") for name, context in contexts.items()}
    with pytest.raises(UserError) as caught:
        complete(*painted, network, broken, QUICK, ignore)
    assert caught.value.code == "numbers-overflow"


def test_a_refinement_brings_renderings_nearer_to_what_the_network_makes_of_them(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    settings = Refinement(replace(RECIPE, guidance=7.5, symmetric=True), iterations=6, fresh=3, size=64)
    mesh = refine(*painted, network, contexts, 1, settings, ignore)
    wanted: Tensor | None = None
    apart: list[float] = []
    for each in (painted[0], mesh):
        progress = Progress(ignore)
        scene = scene_of(each, painted[1], progress)
        (camera,) = plan(scene.surface, scene.front, 1, 0.0, unwatched)
        view = render(scene.surface, drawn(scene.texels, unwatched), camera, 64, unwatched)
        latent, _, _ = encoded(network, view)
        if wanted is None:
            picture = reference_of(scene.front, painted[1], 64, unwatched)
            reference = read(network, picture, contexts[EMPTY], settings.recipe, progress)
            texts = Texts(contexts[EMPTY], contexts[direction_of(camera)])
            *_, last = draw(network, reference, view, texts, settings.recipe, progress)
            wanted = last.after
        apart.append(distance(latent, wanted, torch.ones(())).item())
    assert apart[1] < 0.98 * apart[0]


def test_a_refinement_leaves_what_the_picture_shows_and_follows_its_seed(
    painted: tuple[Mesh, Cutout], network: DepthDiffusion, contexts: dict[str, Tensor]
) -> None:
    settings = Refinement(replace(RECIPE, symmetric=True), iterations=2, fresh=2, size=64)
    mesh = refine(*painted, network, contexts, 1, settings, ignore)
    front, unseen = changed(painted[0], mesh, painted)
    assert front < 0.01
    assert unseen > 0.3
    same, other = (refine(*painted, network, contexts, seed, settings, ignore) for seed in (1, 2))
    np.testing.assert_array_equal(image_of(mesh), image_of(same))
    assert (image_of(mesh) != image_of(other)).any()


def test_networks_are_loaded_for_it_and_without_them_a_sentence_says_so(
    painted: tuple[Mesh, Cutout], tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tmp_path))
    pool = NetworkPool(networks())
    noted = draw_unseen(*painted, pool, CPU, settings=QUICK, report=ignore)
    assert noted == Noted(painted[0], (MISSING,))
    shutil.copytree(tiny / GUIDED.name, tmp_path / GUIDED.name)
    plain, described = (
        draw_unseen(*painted, pool, CPU, description=text, settings=QUICK, report=ignore) for text in ("", "an owl")
    )
    assert changed(painted[0], plain, painted)[1] > 0.5
    assert changed(plain, described, painted)[1] > 0.1
