# SPDX-License-Identifier: GPL-3.0-or-later
"""Several seeds in one request: what they share, what goes in one go, and which mesh comes first."""

from dataclasses import replace
from typing import Any

import pytest

from backend.engines import DRAFT, ENGINES
from backend.errors import Cancelled
from backend.flow.pipeline import Pipeline, Progress
from backend.flow.products import Cutout, Mesh, NormalMap
from backend.flow.stage import Stage
from tests.backend.flow.counted import ALL, MAPPED, SEEDED, Counted, same_mesh
from tests.backend.vase import Notes, mesh_of, request, run_one


def test_several_seeds_share_what_no_seed_changes(counted: Counted) -> None:
    notes = Notes()
    outcomes = [*counted.pipeline.run(request(seed=5, count=3), notes)]
    assert counted.ran == [*ALL, *SEEDED * 2]
    assert [outcome.seed for outcome in outcomes] == [5, 6, 7]
    assert [[*outcome.seconds] for outcome in outcomes] == [ALL, SEEDED, SEEDED]
    assert [seen.index for seen in notes.progress] == sorted(seen.index for seen in notes.progress)
    assert {seen.index for seen in notes.progress} == set(range(3 + 3 * 7))
    assert {seen.count for seen in notes.progress} == {3 + 3 * 7}


def test_a_seed_of_several_makes_the_mesh_that_it_makes_alone() -> None:
    together = [*Pipeline(ENGINES).run(request(seed=5, count=2), Notes())]
    for outcome in together:
        alone = run_one(Pipeline(ENGINES), request(seed=outcome.seed), Notes())
        assert same_mesh(mesh_of(alone), mesh_of(outcome))
        assert alone.recipe == outcome.recipe


def test_every_mesh_is_there_before_the_next_is_begun(counted: Counted) -> None:
    outcomes = counted.pipeline.run(request(seed=5, count=2), Notes())
    next(outcomes)
    assert counted.ran == ALL
    next(outcomes)
    assert counted.ran == [*ALL, *SEEDED]


def test_what_is_cached_of_some_seeds_is_not_made_again(counted: Counted) -> None:
    counted.stages_of(request(seed=6))
    counted.forget()
    notes = Notes()
    assert len([*counted.pipeline.run(request(seed=5, count=3), notes)]) == 3
    assert counted.ran == SEEDED * 2


def test_a_mesh_needs_no_cache(counted: Counted) -> None:
    """What all seeds share is made once, though nothing of it can be kept."""
    pipeline = Pipeline(counted.pipeline.engines, cache_bytes=0)
    assert len([*pipeline.run(request(seed=5, count=2), Notes())]) == 2
    assert counted.ran == [*ALL, *SEEDED]


class Batches:
    """A draft engine whose seeds are worked out in one go: its geometry, which uses the seed, and what follows it."""

    def __init__(self) -> None:
        self.goes: list[object] = []
        stages = {stage.name: stage for stage in DRAFT.stages}
        self.geometry, self.project = stages["geometry"], stages["project"]
        plain = Stage("plain", "Passing on", "mesh", ("mesh",), (), self.pass_on)
        stages = (
            stages["foreground"],
            stages["normals"],
            replace(self.geometry, run_many=self.build, also=()),
            plain,
            *(stages[name] for name in MAPPED[1:-1]),
            replace(self.project, run_many=self.project_many),
        )
        self.pipeline = Pipeline({"draft": replace(DRAFT, stages=stages)})

    def build(
        self, normal_maps: list[NormalMap], cutouts: list[Cutout], *, seeds: list[int], **used: Any
    ) -> list[Mesh]:
        """The draft's geometry of each."""
        self.goes.append(seeds)
        each = zip(normal_maps, cutouts, seeds, strict=True)
        return [self.geometry.run(normal_map, cutout, seed=seed, **used) for normal_map, cutout, seed in each]

    def pass_on(self, mesh: Mesh, *, report: Any) -> Mesh:
        """The same mesh."""
        self.goes.append("plain")
        report(0, 1)
        return mesh

    def project_many(self, meshes: list[Mesh], cutouts: list[Cutout], **used: Any) -> list[Mesh]:
        """The draft's projection of each."""
        self.goes.append(len(meshes))
        assert cutouts[0] is cutouts[-1]
        return [self.project.run(mesh, cutout, **used) for mesh, cutout in zip(meshes, cutouts, strict=True)]


def test_stages_that_can_do_several_seeds_do_them_in_one_go() -> None:
    batches = Batches()
    notes = Notes()
    outcomes = [*batches.pipeline.run(request(seed=5, count=3), notes)]
    assert batches.goes == [[5, 6, 7], "plain", "plain", "plain", 3]
    for outcome in outcomes:
        alone = run_one(Pipeline(ENGINES), request(seed=outcome.seed), Notes())
        assert same_mesh(mesh_of(outcome), mesh_of(alone))
    assert {seen.count for seen in notes.progress} == {2 + 1 + 3 * 5 + 1 + 3 + 1}
    shares = {outcome.seconds["geometry"] for outcome in outcomes}
    assert len(shares) == 1


def test_one_go_takes_in_what_is_not_cached_and_one_seed_goes_alone() -> None:
    batches = Batches()
    run_one(batches.pipeline, request(seed=6), Notes())
    assert batches.goes == ["plain"]
    batches.goes.clear()
    assert len([*batches.pipeline.run(request(seed=5, count=3), Notes())]) == 3
    assert batches.goes == [[5, 7], "plain", "plain", 2]
    batches.goes.clear()
    assert len([*batches.pipeline.run(request(seed=7, count=2), Notes())]) == 2
    assert batches.goes == ["plain"], "a single one goes as it always did"


def test_a_cancellation_between_seeds_keeps_the_meshes_before_it(counted: Counted) -> None:
    def second_geometry(progress: Progress) -> bool:
        return progress.index == len(ALL)

    outcomes = counted.pipeline.run(request(seed=5, count=2), Notes(cancel=second_geometry))
    assert next(outcomes).seed == 5
    with pytest.raises(Cancelled):
        next(outcomes)
    assert counted.stages_of(request(seed=5)) == []
