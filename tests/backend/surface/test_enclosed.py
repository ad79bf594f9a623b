# SPDX-License-Identifier: GPL-3.0-or-later
"""What a surface encloses is inside: one closed wall, the right volume, and the same outer wall."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")

import torch
from torch import Tensor

from backend.mesh import check
from backend.surface.enclosed import enclosed
from backend.surface.surface import Surface, extract_surface, touches_border
from tests.backend.surface import shells

FREE = (True,) * 6


def volume(surface: Surface) -> float:
    """What a surface encloses."""
    return check.signed_volume(surface.vertices.numpy(), surface.triangles.numpy())


def parts(surface: Surface) -> int:
    """How many connected parts a surface has."""
    triangles = surface.triangles.numpy()
    return len(np.unique(check.vertex_components(triangles, len(surface.vertices))[triangles[:, 0]]))


def euler(surface: Surface) -> int:
    """Vertices less edges and plus triangles; 2 for a ball, 0 for a torus."""
    triangles = surface.triangles.numpy()
    return len(np.unique(triangles)) - 3 * len(triangles) // 2 + len(triangles)


def assert_sound(surface: Surface) -> None:
    """Closed, every edge between two triangles, every vertex in one fan."""
    assert check.is_closed(surface.triangles.numpy())
    assert check.pinched_vertices(surface.triangles.numpy()) == 0


def crossings(surface: Surface, x: float, y: float) -> int:
    """How often the upright line through x, y crosses a surface."""
    a, b, c = surface.vertices.double()[surface.triangles.long()][..., :2].unbind(1)
    p = torch.tensor([x, y], dtype=torch.float64)

    def side(start: Tensor, end: Tensor) -> Tensor:
        (u, v), (s, t) = (end - start).unbind(1), (p - start).unbind(1)
        return (u * t - v * s).sign()

    around = side(a, b) + side(b, c) + side(c, a)
    return int((around.abs() == 3).sum())


sizes = st.floats(0.2, 0.4)
places = st.floats(-0.05, 0.05)


@settings(deadline=None, max_examples=10)
@given(radius=sizes, centre=st.tuples(places, places, places), thickness=st.floats(0, 3))
def test_a_ball_has_one_wall(radius: float, centre: tuple[float, float, float], thickness: float) -> None:
    coords, features = shells.shell(shells.ball(radius, centre), 48, thickness)
    surface = extract_surface(coords, features, 48, solid=True)
    assert_sound(surface)
    assert euler(surface) == 2
    assert volume(surface) == pytest.approx(4 / 3 * math.pi * radius**3, rel=0.02)
    assert crossings(surface, centre[0] + 0.0123 * radius, centre[1] - 0.0234 * radius) == 2


@settings(deadline=None, max_examples=10)
@given(x=sizes, y=sizes, z=st.floats(0.1, 0.4))
def test_a_box_has_one_wall(x: float, y: float, z: float) -> None:
    coords, features = shells.shell(shells.box(x, y, z), 48)
    surface = extract_surface(coords, features, 48, solid=True)
    assert_sound(surface)
    assert euler(surface) == 2
    assert volume(surface) == pytest.approx(8 * x * y * z, rel=0.03)  # cells cut the edges off
    assert crossings(surface, 0.0123, -0.0234) == 2


@settings(deadline=None, max_examples=10)
@given(ring=st.floats(0.25, 0.32), tube=st.floats(0.06, 0.14))
def test_a_torus_keeps_its_hole(ring: float, tube: float) -> None:
    coords, features = shells.shell(shells.torus(ring, tube), 64)
    surface = extract_surface(coords, features, 64, solid=True)
    assert_sound(surface)
    assert euler(surface) == 0
    assert volume(surface) == pytest.approx(2 * math.pi**2 * ring * tube**2, rel=0.02)


def test_a_cavity_is_filled() -> None:
    coords, features = shells.shell(shells.without(shells.ball(0.42), shells.ball(0.25)), 64)
    surface = extract_surface(coords, features, 64, solid=True)
    assert_sound(surface)
    assert euler(surface) == 2
    assert volume(surface) == pytest.approx(4 / 3 * math.pi * 0.42**3, rel=0.01)


def test_parts_stay_apart() -> None:
    two = shells.union(shells.ball(0.2, (-0.22, 0, 0)), shells.ball(0.2, (0.22, 0, 0)))
    surface = extract_surface(*shells.shell(two, 64), 64, solid=True)
    assert_sound(surface)
    assert parts(surface) == 2
    assert volume(surface) == pytest.approx(2 * 4 / 3 * math.pi * 0.2**3, rel=0.02)


def test_the_outer_wall_does_not_move() -> None:
    coords, features = shells.shell(shells.ball(0.4, (0.01, 0, 0)), 48)
    features[:, :32] += 0.004 * torch.randn(len(coords), 32, generator=torch.Generator().manual_seed(0))
    hollow = {tuple(v) for v in extract_surface(coords, features, 48).vertices.tolist()}
    solid = {tuple(v) for v in extract_surface(coords, features, 48, solid=True).vertices.tolist()}
    assert solid < hollow


def test_a_thin_plate_without_room_inside_stays_as_it_is() -> None:
    coords, features = shells.shell(shells.box(0.3, 0.3, 0.012), 64)
    plain, solid = (extract_surface(coords, features, 64, solid=solid) for solid in (False, True))
    assert torch.equal(plain.vertices, solid.vertices)
    assert torch.equal(plain.triangles, solid.triangles)


def with_hole(coords: Tensor, features: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """A shell without the voxels in a square column of `width` that goes through its right wall."""
    low = (coords.amin(0) + coords.amax(0)) // 2 - width // 2
    through = ((coords >= low) & (coords < low + width))[:, 1:].all(1) & (coords[:, 0] > low[0] + width)
    return coords[~through], features[~through]


@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize("shape", [shells.ball(0.4), shells.box(0.35, 0.35, 0.35)])
def test_holes_of_up_to_eight_voxels_are_closed(shape: shells.Shape, width: int) -> None:
    whole = shells.shell(shape, 64)
    surface = extract_surface(*with_hole(*whole, width), 64, solid=True)
    assert_sound(surface)
    assert parts(surface) == 1
    assert volume(surface) == pytest.approx(volume(extract_surface(*whole, 64, solid=True)), rel=0.02)


def test_a_wide_hole_leaves_the_shell_hollow() -> None:
    surface = extract_surface(*with_hole(*shells.shell(shells.ball(0.4), 64), 12), 64, solid=True)
    assert_sound(surface)
    assert volume(surface) < 0.5 * 4 / 3 * math.pi * 0.4**3


@pytest.mark.parametrize("gap", [1, 2, 4, 7])
def test_a_crevice_stays_open_if_holes_are_closed(gap: int) -> None:
    half, room = 0.15, gap / 64 / 2
    shape = shells.union(
        shells.box(half, 0.3, 0.3, (-half - room, 0, 0)),
        shells.box(half, 0.3, 0.3, (half + room, 0, 0)),
        shells.box(2 * half + room, 0.3, 0.06, (0, 0, -0.3)),
    )
    coords, features = shells.shell(shape, 64)
    whole = volume(extract_surface(coords, features, 64, solid=True))
    holed = extract_surface(*with_hole(coords, features, 4), 64, solid=True)
    assert volume(holed) == pytest.approx(whole, rel=0.01)
    assert crossings(holed, 0.0012, 0.1) == 2  # the floor of the crevice alone


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 9999), share=st.floats(0, 1), kept=st.floats(0, 1))
def test_any_lattice_comes_out_closed_without_cavities(seed: int, share: float, kept: float) -> None:
    generator = torch.Generator().manual_seed(seed)
    places = torch.cartesian_prod(*[torch.arange(8)] * 3).int()
    coords = places[torch.rand(len(places), generator=generator) <= kept]
    features = torch.zeros(len(coords), 53)
    features[:, :8] = torch.randn(len(coords), 8, generator=generator) + 2 * share - 1
    surface = extract_surface(coords, features, 8, solid=True, whole=True)
    assert_sound(surface)
    assert bool(surface.vertices.isfinite().all())


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 9999), share=st.floats(0, 0.6))
def test_a_shell_with_any_holes_comes_out_closed(seed: int, share: float) -> None:
    coords, features = shells.shell(shells.box(0.3, 0.2, 0.3), 32)
    block = (coords // shells.BLOCK * torch.tensor([64, 8, 1], dtype=torch.int32)).sum(1)
    kept = torch.rand(512, generator=torch.Generator().manual_seed(seed)) >= share
    kept[int(block[0])] = True
    some = kept[block]
    assert_sound(extract_surface(coords[some], features[some], 32, solid=True))


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 9999), share=st.floats(0.2, 0.8))
def test_regions_are_those_of_a_flood(seed: int, share: float) -> None:
    """If every point is known, everything is enclosed that a flood from the border does not reach along edges."""
    outside = torch.rand(6, 7, 8, generator=torch.Generator().manual_seed(seed)) < share
    flooded = torch.zeros_like(outside)
    flooded[0] = flooded[-1] = flooded[:, 0] = flooded[:, -1] = flooded[..., 0] = flooded[..., -1] = True
    flooded &= outside
    while True:
        before = flooded.clone()
        for axis in range(3):
            flooded.narrow(axis, 1, outside.shape[axis] - 1).logical_or_(
                before.narrow(axis, 0, outside.shape[axis] - 1)
            )
            flooded.narrow(axis, 0, outside.shape[axis] - 1).logical_or_(
                before.narrow(axis, 1, outside.shape[axis] - 1)
            )
        flooded &= outside
        if torch.equal(flooded, before):
            break
    assert torch.equal(enclosed(outside, torch.ones_like(outside), FREE), outside & ~flooded)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("side", [-1, 1])
def test_a_body_that_the_border_cuts_is_capped(axis: int, side: int) -> None:
    centre = [0.0, 0.0, 0.0]
    centre[axis] = side * 0.25
    coords, features = shells.shell(shells.ball(0.4, (centre[0], centre[1], centre[2])), 48)
    surface = extract_surface(coords, features, 48, solid=True, whole=True)
    assert_sound(surface)
    assert euler(surface) == 2
    assert surface.vertices.abs().amax() == pytest.approx(0.5, abs=1e-6)
    cut = 0.4 - 0.25  # the ball reaches past the cube by this
    lost = math.pi * cut**2 * (3 * 0.4 - cut) / 3
    assert volume(surface) == pytest.approx(4 / 3 * math.pi * 0.4**3 - lost, rel=0.01)
    on_border = (surface.vertices[:, axis] * side > 0.5 - 1e-6)[surface.triangles.long()].all(1)
    a, b, c = surface.vertices[surface.triangles[on_border].long()].unbind(1)
    area = torch.linalg.cross(b - a, c - a).norm(dim=1).sum() / 2
    assert float(area) == pytest.approx(math.pi * (0.4**2 - 0.25**2), rel=0.01)


def test_without_solid_the_cap_is_a_ring() -> None:
    coords, features = shells.shell(shells.ball(0.4, (0, 0, 0.25)), 48)
    surface = extract_surface(coords, features, 48, whole=True)
    assert_sound(surface)
    assert euler(surface) == 2


def test_a_body_within_the_volume_needs_no_cap() -> None:
    coords, features = shells.shell(shells.ball(0.3), 32)
    plain, whole = (extract_surface(coords, features, 32, whole=whole) for whole in (False, True))
    assert torch.equal(plain.vertices, whole.vertices)
    assert torch.equal(plain.triangles, whole.triangles)


def test_sides_that_voxels_touch_are_named_as_seen_from_the_front() -> None:
    middle = torch.tensor([[3, 4, 5]])
    assert touches_border(middle, 8) == ()
    assert touches_border(torch.tensor([[0, 4, 5], [3, 4, 7]]), 8) == ("left", "top")
    assert touches_border(torch.tensor([[7, 0, 5], [3, 7, 0]]), 8) == ("right", "front", "back", "bottom")
    assert touches_border(torch.zeros(1, 3, dtype=torch.int32), 1) == (
        "left",
        "right",
        "front",
        "back",
        "bottom",
        "top",
    )
