# SPDX-License-Identifier: GPL-3.0-or-later
"""Marching cubes: its tables against the cut of each face, its surfaces against shapes that formulas know."""

import hashlib
import math
from collections import Counter
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.surface.marching_cubes_tables import EDGES, FACES, MIDDLE, tables

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.surface.marching_cubes import Isosurface, marching_cubes

EDGE_OF = {frozenset(ends): i for i, ends in enumerate(EDGES)}
PLACES = np.array([(c & 1, c >> 1 & 1, c >> 2) for c in range(8)])


def cut_across_faces(outside: int, joined: int) -> set[frozenset[int]]:
    """The lines, each by the edges that it ends on, in which the surface meets the cell's faces."""
    lines: set[frozenset[int]] = set()
    for face, ring in enumerate(FACES):
        signs = [outside >> corner & 1 for corner in ring]
        edges = [EDGE_OF[frozenset((ring[i], ring[(i + 1) % 4]))] for i in range(4)]  # from corner i to the next
        crossed = [i for i in range(4) if signs[i] != signs[(i + 1) % 4]]
        if len(crossed) == 2:
            lines.add(frozenset(edges[i] for i in crossed))
        elif len(crossed) == 4:
            # Each line cuts off one corner: an inside one if the outside corners are joined, else an outside one.
            alone = [i for i in range(4) if signs[i] != (joined >> face & 1)]
            lines.update(frozenset((edges[i], edges[i - 1])) for i in alone)
    return lines


def reached_cuts() -> list[tuple[int, int, int]]:
    known = tables()
    return [
        cut for cut in product(range(256), range(64), range(2)) if known.tiling[cut] or cut in {(0, 0, 0), (255, 0, 0)}
    ]


def test_there_are_as_many_cuts_as_chernyaev_counts() -> None:
    """With and without a tunnel; the cuts of the faces that no values can make have no tiling."""
    assert len(reached_cuts()) == 634


def test_tilings_fill_the_cuts_of_the_faces() -> None:
    """Each is a surface whose border is the lines on the faces, and which turns from inside to outside."""
    known = tables()
    for outside, joined, tunnel in reached_cuts():
        tiling = known.tiling[outside, joined, tunnel]
        triangles = known.triangles[tiling, : known.counts[tiling]].tolist()
        steps = Counter((t[i], t[(i + 1) % 3]) for t in triangles for i in range(3))
        assert all(count == 1 for count in steps.values())
        border = [step for step in steps if step[::-1] not in steps]
        assert len(border) == len(cut_across_faces(outside, joined))
        assert {frozenset(step) for step in border} == cut_across_faces(outside, joined)
        for start, end in border:
            (face,) = (ring for ring in FACES if {*EDGES[start], *EDGES[end]} <= set(ring))
            into_cell = 0.5 - PLACES[list(face)].mean(0)
            along = PLACES[list(EDGES[end])].mean(0) - PLACES[list(EDGES[start])].mean(0)
            low, high = EDGES[start] if outside >> EDGES[start][1] & 1 else EDGES[start][::-1]
            assert np.cross(along, into_cell) @ (PLACES[high] - PLACES[low]) > 0


def test_a_tunnel_joins_two_parts() -> None:
    """Vertices - edges + triangles: two sheets make 2, a tube makes 0."""
    known = tables()
    for outside in known.tunnels.nonzero()[0]:
        shapes: list[int] = []
        for tunnel in (0, 1):
            tiling = known.tiling[outside, 0, tunnel]
            triangles = known.triangles[tiling, : known.counts[tiling]].tolist()
            edges = {frozenset((t[i], t[(i + 1) % 3])) for t in triangles for i in range(3)}
            shapes.append(len({v for t in triangles for v in t}) - len(edges) + len(triangles))
        assert shapes == [2, 0]


def positions(surface: Isosurface, shape: tuple[int, ...]) -> Tensor:
    """The vertices' places in the lattice, float64 (V, 3)."""
    return surface.interpolate(torch.stack(torch.unravel_index(surface.points, shape), dim=1).float()).double()


def lattice(size: int, centre: tuple[float, float, float]) -> Tensor:
    """The places of size³ points from `centre`, float64 (size, size, size, 3)."""
    axes = [torch.arange(size, dtype=torch.float64) - c for c in centre]
    return torch.stack(torch.meshgrid(*axes, indexing="ij"), dim=-1)


def signed_volume(vertices: Tensor, triangles: Tensor) -> float:
    a, b, c = vertices[triangles.long()].unbind(1)
    return (torch.linalg.cross(a, b) * c).sum().item() / 6


def assert_closed(triangles: Tensor) -> None:
    """Every edge is passed once each way."""
    steps = Counter((t[i], t[(i + 1) % 3]) for t in triangles.tolist() for i in range(3))
    assert all(count == 1 and steps[end, start] == 1 for (start, end), count in steps.items())


def euler(surface: Isosurface) -> int:
    edges = {frozenset((t[i], t[(i + 1) % 3])) for t in surface.triangles.tolist() for i in range(3)}
    return len(surface.ends) + len(surface.corners) - len(edges) + len(surface.triangles)


centres = st.tuples(*[st.floats(9.5, 10.5)] * 3)


@settings(deadline=None, max_examples=20)
@given(centre=centres, radius=st.floats(3, 8))
def test_a_sphere(centre: tuple[float, float, float], radius: float) -> None:
    values = (lattice(21, centre).norm(dim=-1) - radius).float()
    surface = marching_cubes(values)
    vertices = positions(surface, values.shape)
    assert_closed(surface.triangles)
    assert euler(surface) == 2
    # A chord of length 1 is at most 1 / (8 radius) from its arc, and the distance's curvature moves a vertex as much.
    off = (vertices - torch.tensor(centre)).norm(dim=1) - radius
    assert off.abs().max() < 1 / (4 * radius)
    volume = signed_volume(vertices, surface.triangles)
    assert volume == pytest.approx(4 / 3 * math.pi * radius**3, rel=2 / radius**2)


@settings(deadline=None, max_examples=10)
@given(centre=centres, tube=st.floats(1.5, 2.5))
def test_a_torus_has_its_hole(centre: tuple[float, float, float], tube: float) -> None:
    x, y, z = lattice(21, centre).unbind(-1)
    surface = marching_cubes((torch.hypot(torch.hypot(x, y) - 6, z) - tube).float())
    assert_closed(surface.triangles)
    assert euler(surface) == 0


@settings(deadline=None, max_examples=30)
@given(shape=st.tuples(*[st.integers(1, 7)] * 3), seed=st.integers(0, 9999), spread=st.sampled_from([0.1, 1, 3]))
def test_any_values_give_a_closed_surface(shape: tuple[int, int, int], seed: int, spread: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    inner = torch.randn(shape, generator=generator).sign() * (torch.randn(shape, generator=generator) * spread).exp()
    values = torch.ones([size + 2 for size in shape])
    values[1:-1, 1:-1, 1:-1] = inner
    surface = marching_cubes(values)
    assert_closed(surface.triangles)
    used = surface.triangles.unique()
    assert used.tolist() == list(range(len(surface.ends) + len(surface.corners)))
    assert surface.points.tolist() == sorted(set(surface.points.tolist()))
    assert bool(((surface.along >= 0) & (surface.along <= 1)).all())


def test_triangles_are_those_of_scikit_image() -> None:
    """On values at random, by a digest of what scikit-image 0.26's `marching_cubes` makes of them.

    A vertex is named by its edge (axis and lower end) or its cell, a triangle by its vertices from the smallest on.
    """
    uniform = np.random.Generator(np.random.Philox(key=33)).random((2, 48, 48, 48))
    values = (np.where(uniform[0] < 0.5, -1, 1) * (0.1 + 0.9 * uniform[1])).astype(np.float32)
    surface = marching_cubes(torch.from_numpy(values))
    low, high = surface.points[surface.ends].unbind(1)
    axis = (high - low < 48**2).long() + (high - low < 48)
    names = torch.cat([axis * values.size + low, 3 * values.size + surface.points[surface.corners[:, 0]]]).numpy()
    triangles = names[surface.triangles.numpy()]
    turned = (triangles.argmin(1)[:, None] + np.arange(3)) % 3
    triangles = np.take_along_axis(triangles, turned, axis=1)
    triangles = triangles[np.lexsort(triangles.T[::-1])]
    assert triangles.shape == (363025, 3)
    digest = hashlib.sha256(triangles.astype("<i8").tobytes()).hexdigest()
    assert digest == "aa50724f0252e183ad68907f9380787f3c8bc75e74701b632a25b3fb8f32cea9"


def test_ties_and_zeros_leave_no_holes() -> None:
    """Whole numbers: some faces are undecided, and some corners are on the surface."""
    generator = torch.Generator().manual_seed(0)
    values = torch.ones(12, 12, 12)
    values[1:-1, 1:-1, 1:-1] = torch.randint(-2, 3, (10, 10, 10), generator=generator).float()
    assert_closed(marching_cubes(values).triangles)


def test_it_does_not_matter_how_the_lattice_lies_in_memory() -> None:
    values = torch.randn(4, 5, 6, generator=torch.Generator().manual_seed(0)).permute(2, 0, 1)
    ours, theirs = marching_cubes(values), marching_cubes(values.contiguous())
    assert torch.equal(ours.triangles, theirs.triangles)
    assert torch.equal(positions(ours, values.shape), positions(theirs, values.shape))


def test_a_plane_has_its_place() -> None:
    x, y, z = lattice(6, (2.3, 0, 0)).unbind(-1)
    surface = marching_cubes((x + 0.1 * y - 0.2 * z).float())
    off = positions(surface, (6, 6, 6)) @ torch.tensor([1, 0.1, -0.2]).double() - 2.3
    assert off.abs().max() < 1e-5
    assert surface.triangles.dtype == torch.int32


@pytest.mark.parametrize("shape", [(4, 5, 6), (1, 1, 1), (1, 8, 8), (2, 2, 2)])
@pytest.mark.parametrize("sign", [-1, 1])
def test_without_a_change_of_sign_there_is_no_surface(shape: tuple[int, int, int], sign: int) -> None:
    surface = marching_cubes(torch.full(shape, float(sign)))
    assert surface.triangles.shape == (0, 3)
    assert surface.interpolate(torch.zeros(0, 4)).shape == (0, 4)


def test_one_inside_point_makes_an_octahedron() -> None:
    values = torch.ones(3, 3, 3)
    values[1, 1, 1] = -1
    surface = marching_cubes(values)
    assert surface.triangles.shape == (8, 3)
    vertices = positions(surface, (3, 3, 3))
    assert sorted(vertices.tolist()) == sorted(
        [[0.5, 1, 1], [1.5, 1, 1], [1, 0.5, 1], [1, 1.5, 1], [1, 1, 0.5], [1, 1, 1.5]]
    )
    assert signed_volume(vertices, surface.triangles) == pytest.approx(4 / 3 * 0.5**3)


def test_fields_are_carried_to_the_middle_of_cells_trilinearly() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.randn(9, 9, 9, generator=generator)
    surface = marching_cubes(values)
    assert len(surface.corners) > 10
    x, y, z = torch.stack(torch.unravel_index(surface.points, (9, 9, 9))).float()
    field = torch.stack([x, y, z, x * y + y * z - 2 * x * z + x * y * z], dim=1)
    x, y, z, product_of_places = surface.interpolate(field)[len(surface.ends) :].double().unbind(1)
    torch.testing.assert_close(product_of_places, x * y + y * z - 2 * x * z + x * y * z, rtol=1e-4, atol=1e-2)
    assert len(EDGES) == MIDDLE
