# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes become objects with latents, both flow models learn on, and the engine reads what they have learned."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")
pytest.importorskip("diffusers", reason="diffusers is not installed here: the extra hi3dgen has it")
pytest.importorskip("trimesh", reason="trimesh is not installed here: the extra files has it")
pytest.importorskip("PIL", reason="Pillow is not installed here: the extra training has it")

import torch
import trimesh
from PIL import Image
from safetensors.torch import load_file, save_file
from torch import Tensor

from backend.__main__ import main
from backend.engines.hi3dgen.networks import networks
from backend.errors import UserError
from backend.flow.products import Mesh
from backend.models.image_tokens import image_tokens, patch_tokens
from backend.nn.layers import layer_norm32
from backend.training.finetune.learning import is_done
from backend.training.finetune.parts import LATENTS, STRUCTURE
from backend.training.finetune.preparing import (
    Choices,
    Networks,
    check_choices,
    is_prepared,
    largest,
    load_networks,
    meshes_in,
    prepare,
    read_mesh,
)
from backend.training.finetune.published import Published, find_published
from backend.training.norld.appearance import CLAY, appearance, painted
from backend.training.norld.objects import MOST_VOXELS
from backend.training.norld.views import camera_at
from backend.weights import store
from backend.weights.catalogue import GEOMETRY, PACKAGES
from tests.backend.training.ranks import run_two

ROOT = Path(__file__).parents[4]
ABOVE = camera_at(0.0, np.pi / 2 - 1e-3)
BELOW = camera_at(0.0, 1e-3 - np.pi / 2)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture
def published(tiny_weights: Path, monkeypatch: pytest.MonkeyPatch) -> Published:
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(tiny_weights))
    return find_published()


def slab(path: Path, colour: tuple[int, int, int] | None = None, extents: tuple[float, ...] = (1, 1, 0.2)) -> Path:
    """A box in a file, in one colour or without any."""
    box = trimesh.creation.box(extents)
    if colour:
        box.visual.vertex_colors = np.tile([*colour, 255], (8, 1)).astype(np.uint8)
    box.export(path)
    return path


def shown(file: Path, size: int = 16, camera: object = ABOVE) -> Tensor:
    """The tone in the middle of a view, and what the view shows."""
    parts, vertices, _ = read_mesh(file)
    return appearance(painted(parts, torch.from_numpy(vertices)), camera, size)  # pyright: ignore[reportArgumentType]


def middle(picture: Tensor) -> list[float]:
    return picture[:, picture.shape[1] // 2, picture.shape[2] // 2].tolist()


def test_a_view_shows_lit_colours_and_clay_over_black(tmp_path: Path) -> None:
    clay = shown(slab(tmp_path / "clay.ply"))
    red = shown(slab(tmp_path / "red.ply", (255, 0, 0)))
    assert clay[:, 0, 0].tolist() == [0, 0, 0]
    tone = middle(clay)
    assert tone[0] == tone[1] == tone[2]
    assert middle(red)[1:] == [0, 0]
    light = (torch.tensor([tone[0], middle(red)[0]]) + 0.055).div(1.055).pow(2.4)  # the sRGB curve, undone
    assert light[0] / light[1] == pytest.approx(CLAY, rel=1e-3)
    assert middle(shown(tmp_path / "clay.ply", camera=BELOW))[0] < tone[0] / 2
    slanted = shown(tmp_path / "clay.ply", camera=camera_at(0.3, np.pi / 2 - 1e-3))
    edge = slanted[0][(slanted[0] > 0) & (slanted[0] < tone[0] - 0.05)]
    assert len(edge)  # pixels that the outline halves


def test_normals_of_the_file_shade_a_view_smoothly() -> None:
    places = torch.tensor([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    triangles = np.array([[0, 1, 2], [0, 2, 3]], np.int32)

    def tone(*normal: float) -> float:
        normals = np.tile(np.float32(normal), (4, 1)) if normal else None
        sheet = Mesh(places.numpy(), triangles, np.zeros((4, 2), np.float32), normals=normals)
        return middle(appearance(painted([sheet], places), ABOVE, 16))[0]

    assert tone(0, 0, 1) == pytest.approx(tone())
    assert tone(0, 0, -1) == pytest.approx(tone())  # turned to the camera, as the triangles are
    assert tone(-0.8, 0, 0.6) < tone() - 0.05 < tone(0.3, 0, 0.95)


def test_a_view_shows_an_image_the_right_way_up(tmp_path: Path) -> None:
    """The image's upper half is green and its lower one blue; above the slab, x is the image's up."""
    pixels = np.zeros((64, 8, 3), np.uint8)
    pixels[:32, :, 1] = pixels[32:, :, 2] = 255
    vertices = np.array([[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0]])
    uv = [[0, 1], [0, 2], [1, 2], [1, 1]]  # repeats beyond 1
    material = trimesh.visual.material.SimpleMaterial(image=Image.fromarray(pixels))
    visual = trimesh.visual.TextureVisuals(uv=uv, material=material)
    turned = vertices[:, [0, 2, 1]] * [1, 1, -1]  # y up, as OBJ files have it
    trimesh.Trimesh(turned, [[0, 1, 2], [0, 2, 3]], process=False, visual=visual).export(tmp_path / "sheet.obj")
    picture = shown(tmp_path / "sheet.obj", 16, camera_at(-np.pi / 2, np.pi / 2 - 1e-3))  # x to the right
    assert picture[1, 8, 5] == 0
    assert picture[2, 8, 5] > 0.3
    assert picture[1, 8, 10] > 0.3
    assert picture[2, 8, 10] == 0


def test_meshes_become_objects_and_a_damaged_one_costs_only_itself(published: Published, tmp_path: Path) -> None:
    slab(tmp_path / "blue.glb", (0, 0, 255))
    (tmp_path / "damaged.glb").write_bytes(b"glTF but not")
    trimesh.Trimesh(np.eye(3)[[0, 1, 1]], [[0, 1, 2]], process=False).export(tmp_path / "line.ply")
    (tmp_path / "notes.txt").touch()
    meshes = meshes_in([tmp_path])
    assert [*meshes] == ["blue", "damaged", "line"]
    folder = tmp_path / "objects"
    folder.mkdir()
    said: list[str] = []
    loaded: list[Networks] = []

    def load() -> Networks:
        loaded.append(load_networks(published, torch.device("cpu")))
        return loaded[-1]

    def made(*, latents: bool) -> list[str]:
        return [*prepare(meshes, folder, load, Choices(1, 1), latents=latents, late=lambda: False, say=said.append)]

    assert made(latents=False) == ["damaged", "line"]
    assert said[1].startswith(
        f"2 of 3 is left out, {tmp_path / 'damaged.glb'}: “damaged.glb” cannot be read as a mesh."
    )
    line = tmp_path / "line.ply"
    assert said[2] == f"3 of 3 is left out, {line}: “line.ply” has no surface. Use a file with a mesh."
    before = load_file(folder / "blue.safetensors")
    assert "latents" not in before
    assert made(latents=True) == ["damaged", "line"]
    after = load_file(folder / "blue.safetensors")
    assert all(torch.equal(tensor, after[name]) for name, tensor in before.items())
    assert after["latents"].shape == (len(after["coords"]), 4)
    assert after["latents"].isfinite().all()
    assert largest([folder / "blue.safetensors"]) == len(after["coords"]) > 50
    assert len(loaded) == 2

    kept = (folder / "blue.safetensors").read_bytes()
    (folder / "blue.safetensors").write_bytes(kept[:-100])  # as no kill leaves it, but a disk may
    del meshes["damaged"], meshes["line"]
    assert made(latents=True) == []
    assert (folder / "blue.safetensors").read_bytes() == kept
    assert len(loaded) == 3

    tokenizer = loaded[0].tokenizer
    pixels = torch.rand(1, 3, 518, 518)
    patches = patch_tokens(tokenizer, pixels).flatten(2).transpose(1, 2)
    torch.testing.assert_close(layer_norm32(patches, 1e-5), image_tokens(tokenizer, pixels)[:, 5:])


def test_objects_of_two_kinds_do_not_go_into_one_folder(published: Published, tmp_path: Path) -> None:
    check_choices(tmp_path, Choices(), published)
    check_choices(tmp_path, Choices(), published)
    with pytest.raises(UserError, match="other views"):
        check_choices(tmp_path, replace(Choices(), feature_views=149), published)
    with pytest.raises(UserError, match="no meshes"):
        meshes_in([tmp_path])
    with pytest.raises(UserError, match="There is no file or folder “"):
        meshes_in([tmp_path / "NO_SUCH_FOLDER"])
    owls = tmp_path / "owls"
    paths = [owls / "owl.glb", owls / "barn" / "owl.ply", owls / "barn" / "own.dir" / "owl.stl"]
    for path in paths:
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert meshes_in([tmp_path]) == {
        "owls-barn-own.dir-owl": paths[2],
        "owls-barn-owl": paths[1],
        "owls-owl": paths[0],
    }
    assert [*meshes_in([owls])] == ["barn-owl", "barn-own.dir-owl", "owl"]
    (tmp_path / "Owl.ply").touch()
    with pytest.raises(UserError, match="the same name"):
        meshes_in([owls / "owl.glb", tmp_path / "Owl.ply"])


def test_an_object_of_too_many_voxels_needs_no_latents(tmp_path: Path) -> None:
    few, many = tmp_path / "few.safetensors", tmp_path / "many.safetensors"
    for path, count in ((few, 9), (many, MOST_VOXELS + 1)):
        parts = {"structure": torch.zeros(1), "tokens": torch.zeros(1), "coords": torch.zeros(count, 3)}
        save_file(parts, path)
    assert is_prepared(many, latents=True)
    assert not is_prepared(few, latents=True)
    assert largest([few, many]) == 9


def killed(command: list[str], line: str) -> None:
    """Run a command until it prints a line that begins so, and kill it."""
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = any(each.startswith(line) for each in process.stdout)
        process.kill()
    assert found


@pytest.mark.slow
def test_a_killed_fine_tuning_goes_on_to_weights_that_the_engine_reads(
    published: Published, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    slab(tmp_path / "blue.ply", (0, 0, 255))
    slab(tmp_path / "red.ply", (255, 0, 0), (1, 0.5, 2))
    run = tmp_path / "run"
    options = ("--config", "tiny", "--steps", "5", "--views", "1", "--feature-views", "1")
    command = ["train", "finetune", str(tmp_path), "--folder", str(run), *options]
    killed([sys.executable, "-m", "backend", *command], "1 of 2: ")
    first = (run / "objects" / "blue.safetensors").stat().st_mtime_ns
    assert main([*command, "--what", "structure"]) == 0
    said = capsys.readouterr().out
    assert "2 of 2: " in said
    assert said.splitlines()[-1] == f"HI3DGEN_WEIGHTS={run.resolve() / 'weights'}"
    assert first == (run / "objects" / "blue.safetensors").stat().st_mtime_ns
    assert main([*command, "--normals"]) == 0
    said = capsys.readouterr().out
    assert "1 of 2: " not in said  # has its latents, which the other one gets now
    assert "structure-flow: up to" not in said
    assert "latent-flow: up to" in said
    assert '"looks"' in said

    before = {name: networks()[name].load().state_dict() for name in ("structure flow", "latent flow")}
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(run / "weights"))
    for name, folder in (("structure flow", "structure-flow"), ("latent flow", "latent-flow")):
        after = networks()[name].load().state_dict()  # all tensors, of the published names and forms, or an error
        trained = load_file(run / folder / "trunk.safetensors")
        assert all(torch.equal(tensor, trained[part]) for part, tensor in after.items())
        assert any(not torch.equal(tensor, before[name][part]) for part, tensor in after.items())
    assert not store.missing(PACKAGES)
    assert store.revisions([GEOMETRY])[GEOMETRY.name].startswith("sha256:")


@pytest.mark.slow
def test_two_processes_let_both_flow_models_learn_on(published: Published, tmp_path: Path) -> None:
    pytest.importorskip("accelerate", reason="accelerate is not installed here: the extra training has it")
    meshes = slab(tmp_path / "blue.ply", (0, 0, 255)), slab(tmp_path / "red.ply", (255, 0, 0), (1, 0.5, 2))
    options = ("--config", "tiny", "--steps", "5", "--views", "1", "--feature-views", "1")
    command = ["train", "finetune", *map(str, meshes), "--folder", str(tmp_path / "run"), *options]
    assert main([*command, "--prepare-only"]) == 0
    assert run_two([sys.executable, "-m", "backend", *command]) == [0, 0]
    for part in (STRUCTURE, LATENTS):
        assert is_done(tmp_path / "run" / part.name, 5)
        content = torch.load(tmp_path / "run" / part.name / "trunk.pt", weights_only=True)
        assert content["pictures"] == 5 * 2 * part.configs["tiny"].batch
    assert (tmp_path / "run" / "weights" / GEOMETRY.name / "pipeline.json").exists()
