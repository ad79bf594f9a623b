# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures that the normal estimator learns from: reproducible, and true to the shapes that they show."""

import re
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from timeit import timeit

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

pytest.importorskip("numba", reason="plain numpy takes minutes for what is made here in seconds")

from backend.training.shapes import Block, contact_sheet, draw_camera, sample_block
from backend.training.shapes.field import distances, settle, volume
from backend.training.shapes.lighting import lit, openness
from backend.training.shapes.materials import FLOWERS, MATERIAL, PATCHES, STONES, albedo
from backend.training.shapes.photograph import Framing, jpeg, photograph, reframe
from backend.training.shapes.reliefs import LATTICE, RIBS
from backend.training.shapes.sculptor import Sculptor, about_x, about_y
from backend.training.shapes.sculptures import THINGS, draw_shape
from backend.training.shapes.solids import Fold, Join, Shape
from backend.training.shapes.tracing import Camera, look

ROOT = Path(__file__).parents[4]
FRONT = Camera(np.eye(3), 0.0, (0.0, 0.0), 1.1)

PRINT_BLOCK = """
from hashlib import sha256
from backend.training.shapes import sample_block
batch = sample_block(7, 3, 32, pictures=2)
print(sha256(b"".join(a.tobytes() for a in (batch.rgba, batch.normals, batch.mask))).hexdigest())
"""


def digest(block: Block) -> str:
    return sha256(b"".join(part.tobytes() for part in (block.rgba, block.normals, block.mask))).hexdigest()


def ball() -> Shape:
    s = Sculptor(np.random.default_rng(0))
    s.ball((0, 0, 0), 1.0)
    return s.shape()


def test_a_block_is_the_same_in_another_process_and_unlike_its_neighbours() -> None:
    here = sample_block(7, 3, 32, pictures=2)
    there = subprocess.run([sys.executable, "-c", PRINT_BLOCK], cwd=ROOT, capture_output=True, text=True, check=True)
    assert digest(here) == there.stdout.strip()
    assert digest(here) != digest(sample_block(7, 4, 32, pictures=2))
    assert digest(here) != digest(sample_block(8, 3, 32, pictures=2))


def test_the_documented_measurement_runs() -> None:
    command = (ROOT / "docs" / "normals.md").read_text("utf-8").split("python -m timeit")[1].split("```")[0]
    setup, statement = re.findall('"(.*?)"', command)
    assert "range(1, 361)" in statement
    assert timeit(statement.replace("361", "2"), setup, number=1) > 0


def test_a_shape_that_its_cuts_leave_nothing_of_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = Sculptor(np.random.default_rng(0))
    nothing.ball((0, 0, 0), 0.5)
    nothing.ball((0, 0, 0), 0.9, join=Join.CUT)
    drawn = iter([nothing.shape(), nothing.shape(), ball()])

    def draw_next(_: np.random.Generator) -> Shape:
        return next(drawn)

    monkeypatch.setattr("backend.training.shapes.draw_shape", draw_next)
    assert sample_block(1, 1, 32, pictures=1).mask.mean() > 0.1


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**31 - 1), index=st.integers(0, 2**40), size=st.integers(16, 72))
def test_every_picture_is_whole_and_its_normals_are_unit_and_face_the_viewer(seed: int, index: int, size: int) -> None:
    batch = sample_block(seed, index, size, pictures=2)
    assert batch.rgba.shape == (2, size, size, 4)
    assert batch.rgba.dtype == np.uint8
    normals = batch.normals.astype(np.float64)
    assert np.isfinite(normals).all()
    assert not normals[~batch.mask].any()
    shown = normals[batch.mask]
    assert len(shown) > 0
    np.testing.assert_allclose(np.linalg.norm(shown, axis=1), 1.0, atol=2e-3)
    # At 50 mm a ray leaves the axis by up to 20 degrees, and a normal at the outline is square to its ray.
    assert np.mean(shown[:, 2] > 0) > 0.9
    # An edge may be worn by a pixel or frayed, never more.
    off = (batch.rgba[..., 3] > 127) != batch.mask
    inside = batch.mask[:, 1:-1, 1:-1]
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            inside = inside & batch.mask[:, 1 + dy : size - 1 + dy, 1 + dx : size - 1 + dx]
    assert not (off[:, 1:-1, 1:-1] & inside).any()


def test_a_ball_has_the_normals_of_a_ball() -> None:
    surface = look(ball(), FRONT, 96)
    across = (np.arange(96) + 0.5 - 48) / 48 * 1.1
    x, y = np.meshgrid(across, -across)
    far = np.hypot(x, y)
    assert surface.hit[far < 0.99].all()
    assert not surface.hit[far > 1.01].any()
    inside = far < 0.98
    truth = np.stack([x, y, np.sqrt(np.maximum(1 - far**2, 0))], axis=2)
    np.testing.assert_allclose(surface.normals[inside], truth[inside], atol=0.01)
    np.testing.assert_allclose(openness(ball(), surface, 0.02)[inside], 1.0, atol=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_normals_agree_with_the_places_of_neighbouring_pixels(seed: int) -> None:
    shape = draw_shape(np.random.default_rng(seed))
    surface = look(shape, draw_camera(np.random.default_rng(seed), shape), 200)
    places, hit = surface.places, surface.hit
    right, down = places[1:-1, 2:] - places[1:-1, :-2], places[2:, 1:-1] - places[:-2, 1:-1]
    whole = hit[1:-1, 1:-1] & hit[1:-1, 2:] & hit[1:-1, :-2] & hit[2:, 1:-1] & hit[:-2, 1:-1]
    across = np.cross(down, right)
    across /= np.maximum(np.linalg.norm(across, axis=2, keepdims=True), 1e-12)
    agree = (across * surface.normals[1:-1, 1:-1]).sum(axis=2)[whole]
    # Creases and steps in depth lie between pixels; on the rest the two are alike.
    assert np.median(agree) > np.cos(np.radians(4))
    assert np.mean(agree > np.cos(np.radians(25))) > 0.75


def test_what_chance_leaves_out_adds_nothing_and_uses_up_no_random_numbers() -> None:
    s = Sculptor(np.random.default_rng(3))
    s.begin(chance=0).ball((s.draw(-1, 1), 0, 0), 1.0).relief(RIBS, (0.1, 0.2), 3.0, outline=[(0, 0), (1, 0), (0, 1)])
    s.begin().perhaps(0, 2).extrude((0, 0, 0), [(0, 0), (1, 0), (0, 1)], s.draw(0.1, 0.2)).box((0, 0, 0), 1, 1, 1)
    s.otherwise().ball((0, 0, 0), s.draw(0.5, 1.0))
    (only,) = s.operations
    assert (only.numbers[0], only.group, s.outlines) == (np.random.default_rng(3).uniform(0.5, 1.0), 1, [])


def test_a_bowl_is_hollow() -> None:
    s = Sculptor(np.random.default_rng(0))
    angles = np.linspace(0, np.pi / 2, 20)
    s.lathe(np.stack([np.sin(angles), -np.cos(angles)], axis=1), 0.05)
    above = Camera(about_x(np.pi / 2), 0.0, (0.0, 0.0), 1.0)
    surface = look(s.shape(), above, 64)
    normals = surface.normals @ above.turn.T
    row = surface.hit.any(axis=1).nonzero()[0].mean().round().astype(int)
    left, right = surface.hit[row].nonzero()[0][[6, -7]]
    assert normals[row, left, 0] > 0.3  # the left of the inside looks right: a ball's would look left
    assert normals[row, right, 0] < -0.3


def test_a_cut_takes_away_and_a_shadow_falls() -> None:
    s = Sculptor(np.random.default_rng(0))
    s.box((0, 0, 0), 1, 1, 0.2)
    s.ball((0.5, 0.5, 0.2), 0.3, join=Join.CUT)
    s.begin()
    s.box((-0.5, 0, 0.4), 0.1, 0.6, 0.4)
    camera = Camera(np.eye(3), 0.0, (0.0, 0.0), 0.8)
    surface = look(s.shape(), camera, 80)
    normals = surface.normals
    assert surface.parts.max() == 1
    assert len(np.unique(surface.depth[surface.hit].round(2))) > 4  # the dent is round
    left = np.array([-0.8, 0.0, 0.6])
    shadow = lit(s.shape(), surface, left, near=False, softness=0.05, pixel=0.02)
    flat = surface.hit & (normals[..., 2] > 0.99) & (surface.parts == 0)
    assert shadow[flat].min() < 0.1
    assert shadow[flat].max() > 0.9
    opened = openness(s.shape(), surface, 0.02)
    assert opened[flat].min() < 0.8  # the wall hides some sky from its foot
    assert opened[flat].max() > 0.98


@pytest.mark.parametrize("mirrored", [False, True])
def test_turning_and_mirroring_a_picture_turns_its_normals(*, mirrored: bool) -> None:
    surface = look(ball(), FRONT, 96)
    light = surface.normals * 0.5 + 0.5
    frame = Framing((0.0, 0.0), 1.0, roll=0.7, mirrored=mirrored)
    _, normals, coverage = reframe(light, surface.normals, surface.hit, frame, 64)
    across = (np.arange(64) + 0.5 - 32) / 32 * 1.1
    x, y = np.meshgrid(across, -across)
    inside = (np.hypot(x, y) < 0.95) & (coverage > 0.99)
    np.testing.assert_allclose(normals[inside][:, :2], np.stack([x, y], axis=2)[inside], atol=0.03)


def test_every_solid_is_its_formula() -> None:
    """A point at a time in plain numbers, against the compiled formulae for many points."""
    x, y, z = points = np.random.default_rng(0).uniform(-1, 1, (3, 600))
    far = np.hypot(x, z)

    def drawn(draw: Callable[[Sculptor], None]) -> NDArray[np.float64]:
        s = Sculptor(np.random.default_rng(0))
        draw(s)
        shape = s.shape()
        fit = shape.rows["scale"][0]  # how `assemble` has scaled it about the origin
        return distances(points * fit, shape, 1, 1e-3) / fit

    def box(a: float, b: float, c: float, x: NDArray[np.float64] = x) -> NDArray[np.float64]:
        off = np.abs([x, y, z]) - np.array([[a], [b], [c]])
        return np.linalg.norm(off.clip(0), axis=0) + off.max(axis=0).clip(max=0)

    np.testing.assert_allclose(drawn(lambda s: s.ball((0, 0, 0), 0.5)), np.linalg.norm(points, axis=0) - 0.5, atol=1e-9)
    np.testing.assert_allclose(drawn(lambda s: s.box((0, 0, 0), 0.3, 0.4, 0.5)), box(0.3, 0.4, 0.5), atol=1e-9)
    torus = np.hypot(far - 0.6, y) - 0.2
    np.testing.assert_allclose(drawn(lambda s: s.torus((0, 0, 0), 0.6, 0.2)), torus, atol=1e-9)
    capsule = np.linalg.norm([x, y, np.maximum(np.abs(z) - 0.5, 0)], axis=0) - 0.2
    np.testing.assert_allclose(drawn(lambda s: s.limb((0, 0, -0.5), (0, 0, 0.5), 0.2, 0.2)), capsule, atol=1e-9)
    off = np.stack([far - 0.4, np.abs(y) - 0.5])
    cylinder = np.linalg.norm(off.clip(0), axis=0) + off.max(axis=0).clip(max=0)
    np.testing.assert_allclose(drawn(lambda s: s.cone((0, 0, 0), 0.4, 0.4, 0.5)), cylinder, atol=1e-9)
    square = np.array([(-0.4, -0.3), (0.4, -0.3), (0.4, 0.3), (-0.4, 0.3)])
    line = np.array([(0.4, -0.5), (0.4, 0.5)])
    for sampled, exact in (  # profiles are sampled: exact near the surface but for corners, bounds far away
        (drawn(lambda s: s.extrude((0, 0, 0), square, 0.2)), box(0.4, 0.3, 0.2)),
        (drawn(lambda s: s.lathe(line)), cylinder),
    ):
        near = np.abs(exact) < 0.1
        np.testing.assert_allclose(sampled[near], exact[near], atol=0.02)
        np.testing.assert_array_equal(sampled[~near] > 0, exact[~near] > 0)
    ball = drawn(lambda s: s.superquadric((0, 0, 0), 0.5, 0.5, 0.5, 2.0, 2.0))
    np.testing.assert_allclose(ball, np.linalg.norm(points, axis=0) - 0.5, atol=1e-6)

    def mirrored(s: Sculptor) -> None:
        with s.at(fold=Fold.MIRROR):
            s.box((0.6, 0, 0), 0.2, 0.4, 0.3)

    np.testing.assert_allclose(drawn(mirrored), box(0.2, 0.4, 0.3, np.abs(x) - 0.6), atol=1e-9)


@pytest.mark.parametrize("thing", [thing for thing, _ in THINGS], ids=lambda thing: thing.__name__)
def test_every_kind_of_thing_can_be_seen(thing: Callable[[Sculptor], None]) -> None:
    s = Sculptor(np.random.default_rng(3))
    thing(s)
    shape = s.shape()
    camera = Camera(about_y(0.3), 0.2, (0.0, 0.0), 1.1)
    surface = look(shape, camera, 32)
    assert surface.hit.sum() > 30
    assert np.linalg.norm(surface.places[surface.hit], axis=1).max() <= shape.radius + 1e-6
    assert set(np.unique(surface.parts)) <= set(range(shape.parts))


def test_detail_below_a_pixel_is_not_in_the_truth() -> None:
    def roughness(size: int) -> float:
        s = Sculptor(np.random.default_rng(0))
        s.box((0, 0, 0), 1, 1, 0.2)
        s.relief(RIBS, 0.01, 20.0, q=1.0)
        surface = look(s.shape(), Camera(np.eye(3), 0.0, (0.0, 0.0), 0.4), size)
        return float(np.abs(surface.normals[..., 0]).mean())

    assert roughness(128) > 0.05
    assert roughness(8) < 1e-6


def test_jpeg_keeps_what_is_flat_and_loses_what_is_fine() -> None:
    flat = np.full((20, 28, 3), 96.0, np.float32)
    np.testing.assert_allclose(jpeg(flat, 90), flat, atol=2)
    noise = np.random.default_rng(0).uniform(0, 255, (32, 32, 3)).astype(np.float32)
    assert np.abs(jpeg(noise, 30) - noise).mean() > np.abs(jpeg(noise, 95) - noise).mean() > 0


def test_a_photograph_of_nothing_is_transparent() -> None:
    rng = np.random.default_rng(0)
    assert not photograph(rng, np.zeros((16, 16, 3), np.float32), np.zeros((16, 16), np.float32))[..., 3].any()


def test_the_sheet_shows_pairs() -> None:
    sheet = contact_sheet(1, 5, 24)
    assert sheet.shape == (48, 192, 4)
    assert (sheet[..., 3] == 255).all()


def test_points_near_a_ball_settle_on_it() -> None:
    values, half = volume(ball(), 32, 0.01)
    assert values.shape == (33, 33, 33)
    assert half > 1.0
    lattice = np.stack(np.meshgrid(*[np.linspace(-half, half, 33)] * 3, indexing="ij"), axis=3)
    far = np.linalg.norm(lattice, axis=3) - 1
    near = np.abs(far) < 2 * half / 32
    np.testing.assert_allclose(values[near], far[near], atol=1e-6)
    np.testing.assert_array_equal(np.sign(values[~near]), np.sign(far[~near]))
    off = lattice[near] / (far[near] + 1)[:, None] * (1 + 0.01 * np.sign(lattice[near][:, :1]))
    points, normals, parts = settle(ball(), off, 0.01)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, atol=1e-3)
    np.testing.assert_allclose(normals, points, atol=1e-3)
    assert not parts.any()


@pytest.mark.parametrize("pattern", [STONES, FLOWERS, PATCHES])
def test_prints_show_all_their_colours_and_no_others(pattern: int) -> None:
    material = np.zeros(1, MATERIAL)
    material["pattern"], material["frequency"], material["turn"] = pattern, 4.0, np.eye(3)
    material["colours"] = np.array([[0.1, 0.1, 0.1], [0.4, 0.4, 0.4], [0.9, 0.9, 0.9]])
    places = np.random.default_rng(0).uniform(-4, 4, (3, 4000))
    shown = albedo(places, np.zeros(4000, np.int64), material, LATTICE)
    assert 0.1 - 1e-9 <= shown.min() < 0.15
    assert 0.85 < shown.max() <= 0.9 + 1e-9
    assert 0.03 < (shown[0] < 0.2).mean() < 0.95
    assert 0.03 < (shown[0] > 0.6).mean() < 0.95
