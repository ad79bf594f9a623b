# SPDX-License-Identifier: GPL-3.0-or-later
"""A picture's colours continued over the sphere: the picture stays, nothing shows a seam, and it lights."""

from typing import Any

import numpy as np
import pytest

from backend.engines import ENGINES
from backend.engines.world.continuing import continued
from backend.engines.world.engine import PLAIN
from backend.engines.world.light import KNEE, lifted
from backend.engines.world.placing import Placed, placed
from backend.engines.world.sphere import solid_angles
from backend.errors import UserError
from backend.flow.pipeline import Pipeline
from backend.flow.products import Noted, Panorama, Picture
from backend.flow.request import Request
from backend.raster.colour import linear_to_srgb, srgb_to_linear
from tests.backend.engines.world.scenes import GROUND, SKY, lamp_at_left, outdoors, unwatched


def on_sphere(picture: Picture, **settings: Any) -> Placed:
    made = placed(picture, **{"fov": 60.0, "pitch": 0.0, "width": "256"} | settings, report=unwatched)
    assert isinstance(made, Placed)
    return made


def tone(colour: tuple[int, int, int]) -> Any:
    return srgb_to_linear(np.array(colour) / 255)


def test_the_picture_covers_what_its_lens_sees() -> None:
    known = on_sphere(outdoors(), fov=90.0).known
    assert known[64].sum() == 64, "a quarter of all columns at the horizon"
    assert known[:, 128].sum() == pytest.approx(128 * 2 * np.degrees(np.arctan(40 / 60)) / 180, abs=1.5)
    assert known[64, 96:160].all()


def test_the_sky_of_a_camera_that_looks_up_is_higher() -> None:
    rows = [np.flatnonzero(on_sphere(outdoors(), pitch=pitch).known.any(axis=1)) for pitch in (0.0, 30.0)]
    assert rows[0].mean() - rows[1].mean() == pytest.approx(30 / 180 * 128, abs=1.5)


def test_a_camera_that_looks_straight_up_covers_the_pole() -> None:
    assert on_sphere(outdoors(), pitch=90.0).known[0].all()


def test_what_is_transparent_is_not_known_and_leaves_no_trace() -> None:
    picture = outdoors()
    picture[:, :30] = (255, 0, 255, 0)
    made = on_sphere(picture)
    assert not made.known[:, :126].any()
    assert made.known[:, 130:].any()
    panorama = continued(made, report=unwatched).light
    assert (panorama[..., 1] > 0.5 * np.minimum(panorama[..., 0], panorama[..., 2])).all(), "no magenta"


def test_what_is_transparent_all_over_cannot_be_placed() -> None:
    with pytest.raises(UserError) as raised:
        on_sphere(np.zeros((8, 8, 4), np.uint8))
    assert raised.value.code == "picture-empty"


@pytest.mark.parametrize(("fov", "taken"), [(2.0, 5.0), (170.0, 150.0)])
def test_a_lens_that_is_too_narrow_or_too_wide_is_taken_as_far_as_a_world_goes(fov: float, taken: float) -> None:
    made = placed(outdoors(), fov=fov, pitch=0.0, width="256", report=unwatched)
    assert isinstance(made, Noted)
    assert f"{fov:g} degrees across: {taken:g} were taken" in made.notes[0]
    np.testing.assert_array_equal(made.product.known, on_sphere(outdoors(), fov=taken).known)


@pytest.mark.parametrize("shape", [(1, 60), (1, 4000), (60, 1), (1, 1)])
@pytest.mark.parametrize("settings", [{}, {"fov": 150.0}, {"fov": 5.0, "pitch": 33.0}])
def test_a_picture_of_one_row_or_column_is_seen_all_along(shape: tuple[int, int], settings: dict[str, Any]) -> None:
    made = on_sphere(outdoors(shape[1], shape[0]), **settings)
    columns, rows = made.known.any(axis=0).sum(), made.known.any(axis=1).sum()
    across = settings.get("fov", 60.0) / 360 * 256
    assert columns >= across - 1.5
    assert rows >= 1
    assert np.isfinite(continued(made, report=unwatched).light).all()


def test_a_lens_that_nobody_knows_is_said() -> None:
    made = placed(outdoors(), fov=0.0, pitch=0.0, width="256", report=unwatched)
    assert isinstance(made, Noted)
    assert "55 degrees" in made.notes[0]


@pytest.mark.parametrize("settings", [{}, {"fov": 5.0}, {"pitch": 75.0}, {"pitch": -90.0, "fov": 120.0}])
def test_the_continuation_has_no_seam_and_no_pinch_and_keeps_the_picture(settings: dict[str, Any]) -> None:
    made = on_sphere(outdoors(), **settings)
    light = continued(made, report=unwatched).light
    np.testing.assert_array_equal(light[made.known], made.light[made.known])
    neighbours = np.abs(np.diff(light, axis=1)).max(axis=1)
    assert (np.abs(light[:, 0] - light[:, -1]) <= neighbours + 1e-6).all()
    for pole in (0, -1):
        if not made.known[pole].any():
            assert np.ptp(light[pole], axis=0).max() < 0.01
    border = made.light[made.known]
    assert light.min() >= border.min() - 0.02
    assert light.max() <= border.max() + 0.02


def test_sky_goes_on_as_sky_and_ground_as_ground() -> None:
    light = continued(on_sphere(outdoors()), report=unwatched).light
    behind = light[:, 0]
    sky, ground = tone(SKY), tone(GROUND)
    for row, meant, other in ((5, sky, ground), (45, sky, ground), (85, ground, sky), (122, ground, sky)):
        assert np.abs(behind[row] - meant).sum() < np.abs(behind[row] - other).sum()


def test_the_bright_side_of_a_picture_lights_more() -> None:
    light = continued(on_sphere(lamp_at_left()), report=unwatched).light
    weighted = solid_angles(128) * light[..., 1]
    left, right = weighted[:, :128].sum(), weighted[:, 128:].sum()
    assert left > 1.3 * right


def test_whites_are_lifted_and_nothing_else() -> None:
    light = np.full((64, 128, 3), 0.5, np.float32)
    light[20, 40], light[20, 41] = (1.0, 1.0, 0.6), (KNEE, KNEE, 0.1)
    light[20, 42], light[20, 43] = (0.3, 0.5, 0.95), (1.0, 0.1, 0.1)  # a sky, and red cloth
    made = lifted(Panorama(light), highlights=5.0, report=unwatched).light
    np.testing.assert_allclose(made[20, 40], np.array((1.0, 1.0, 0.6)) * 5, rtol=0.01)
    light[20, 40] = made[20, 40]
    np.testing.assert_array_equal(made, light)


def test_a_smooth_bright_sky_has_no_steps() -> None:
    levels = np.round(linear_to_srgb(np.linspace(0.78, 0.98, 256, dtype=np.float32)) * 255) / 255
    light = np.full((512, 1024, 3), 0.5, np.float32)
    light[64:320, 300:400] = srgb_to_linear(levels)[:, None, None]
    made = lifted(Panorama(light), highlights=4.0, report=unwatched).light[64:320, 350, 1]
    assert made[-1] > 2.5
    steps = np.diff(made) / made[:-1]
    assert steps.max() < 0.03
    assert steps.min() >= 0


def test_a_white_studio_is_not_lifted() -> None:
    light = np.ones((64, 128, 3), np.float32)
    np.testing.assert_array_equal(lifted(Panorama(light), highlights=5.0, report=unwatched).light, light)


class Watcher:
    """What a client is told."""

    def __init__(self) -> None:
        self.shares: list[float] = []

    def progressed(self, progress: Any) -> None:
        """How far it is."""
        self.shares.append(progress.done)

    def made(self, name: str, product: object) -> None:
        """Nothing is looked at."""


def test_the_engine_tells_how_far_it_is_and_that_it_invents_nothing() -> None:
    watcher = Watcher()
    request = Request({"picture": outdoors()}, "world", settings={"width": "1024"})
    outcome = next(Pipeline(ENGINES).run(request, watcher))
    assert PLAIN in outcome.notes
    assert outcome.products["panorama"].light.shape == (512, 1024, 3)
    assert watcher.shares == sorted(watcher.shares)
    assert len({*watcher.shares}) > 20
    assert not ENGINES["world"].uses_seed
