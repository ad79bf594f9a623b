# SPDX-License-Identifier: GPL-3.0-or-later
"""Made-up shapes become objects, networks learn from them, and the engine hi3dgen samples what they have learned."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("numba", reason="numba is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")
pytest.importorskip("transformers", reason="transformers is not installed here: the extra hi3dgen has it")

import torch
from safetensors.torch import load_file, save_file

from backend.__main__ import main
from backend.engines.hi3dgen.stages import Latents as LatentsAtVoxels
from backend.engines.hi3dgen.stages import Stages
from backend.errors import UserError
from backend.files.pictures import read_picture
from backend.flow.products import Structure
from backend.models.image_tokens import image_tokens, load_tokenizer
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.nn.checkpoint import read_tensors
from backend.nn.layers import layer_norm32
from backend.nn.sparse import Voxels
from backend.training.core.curve import read_curve
from backend.training.core.task import HELD_OUT_SEED
from backend.training.geometry.silhouettes import depths
from backend.training.norld.objects import Placed
from backend.training.small import gathering, truth, views
from backend.training.small.config import CONFIGS
from backend.training.small.encoding import Encoders, encoded, spread
from backend.training.small.latents import Latents, surface_of, triangles_of, turned
from backend.training.small.objects import Drawn, drawn, tensors_of
from backend.training.small.structures import Structures
from backend.training.small.surfaces import placed
from backend.training.small.tokens import TokenNetwork, Tokens, mirrored, normalised
from backend.weights.catalogue import GEOMETRY

SHAPES, HELD_OUT = 4, 2


@pytest.fixture(autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def shape() -> Drawn:
    return drawn(3, 1)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All trainings of the tiny configuration by their commands, from shapes to networks."""
    folder = tmp_path_factory.mktemp("small")
    objects, encoded = folder / "objects", folder / "encoded"
    call("prepare-shapes", "--objects", objects, "--count", SHAPES, "--held-out", HELD_OUT)
    for part in (gathering.TOKENS, gathering.STRUCTURES, gathering.LATENTS):
        learn = (part, "--config", "tiny", "--objects", objects, "--folder", folder / part)
        call(*learn, "--steps", 2)
        call(*learn, "--steps", 4)
        call(*learn, "--stage", "cool")
    call("encode-shapes", "--objects", objects, "--networks", folder, "--encoded", encoded, "--surfaces")
    decoder = folder / gathering.LATENTS / "cool-4-decoder"
    for part, *more in (
        (gathering.STRUCTURE_FLOW, "--steps", 2),
        (gathering.LATENT_FLOW, "--steps", 6, "--decoder", decoder),
    ):
        call(part, "--config", "tiny", "--objects", encoded, "--folder", folder / part, *more)
    call("gather-networks", "--networks", folder, "--encoded", encoded, "--weights", folder / "weights")
    return folder


def call(*words: object) -> None:
    assert main(["train", *map(str, words)]) == 0


def test_the_surface_is_where_the_picture_shows_it(shape: Drawn) -> None:
    """Places of voxels, distances, sheets and picture are of one volume."""
    coords, distances = shape.coords.int(), shape.distances.float()
    cells, values = Voxels(torch.nn.functional.pad(coords, (1, 0)), 1).children.coords[:, 1:], corners(distances)
    surface = surface_of(cells, values)
    off = views.distances_at(shape.seen, surface.vertices.double().numpy())
    assert np.abs(off).max() * 64 < 1  # cells
    assert np.abs(off).mean() * 64 < 0.1
    front, back = (-side for side in depths(triangles_of(surface), views.CELLS, 0.5))  # along y, row 0 on top
    sheets = views.sheets(shape.seen)
    both = (sheets[0] == 1) & np.isfinite(front)
    assert both.sum() > 50
    assert np.median(np.abs(front - sheets[1])[both]) < 1 / 64
    assert np.median(np.abs(back - sheets[2])[both]) < 1 / 64
    assert (np.abs(sheets[1][both]) <= 0.5).all()
    assert np.isclose(sheets[1][both].min() + sheets[2][both].max(), 0, atol=0.1)  # its middle is the volume's


def test_the_picture_is_framed_as_the_engine_cuts_it_out(shape: Drawn) -> None:
    picture = views.true_picture(shape.seen)
    rows, columns = ((picture != 255).any(axis=2).any(axis=axis).nonzero()[0] for axis in (1, 0))
    longer = max(np.ptp(rows), np.ptp(columns)) + 1
    assert 1.1 < len(picture) / longer < 1.3
    map_ = truth.normal_map_of(shape.seen)
    reds = picture[(picture != 255).any(axis=2)][:, 0].mean() / 255
    assert np.isclose(reds, (1 - map_.normals[map_.alpha > 0][:, 0].mean()) / 2, atol=0.02)


def test_a_turned_object_is_the_same_object(shape: Drawn) -> None:
    """Distances go with their corners: the surface turns as a whole."""
    coords, distances = shape.coords.int(), shape.distances.float()
    moved, turned_distances = turned(coords, distances, (2, 0, 1), [1])
    surfaces = [
        surface_of(Voxels(torch.nn.functional.pad(at, (1, 0)), 1).children.coords[:, 1:], corners(values)).vertices
        for at, values in ((coords, distances), (moved, turned_distances))
    ]
    expected = surfaces[0][:, [2, 0, 1]] * torch.tensor([1.0, -1.0, 1.0])
    assert torch.allclose(expected.mean(0), surfaces[1].mean(0), atol=1e-3)
    assert torch.allclose(expected.amax(0), surfaces[1].amax(0), atol=1e-4)


def test_a_mirrored_picture_is_that_of_the_mirrored_object(shape: Drawn) -> None:
    picture = torch.from_numpy(views.true_picture(shape.seen)).permute(2, 0, 1)
    sheets = torch.from_numpy(views.sheets(shape.seen))
    once = mirrored(picture, sheets)
    again = mirrored(*once)
    assert torch.equal(again[1], sheets)
    assert (again[0].int() - picture.int()).abs().max() == 0
    assert torch.allclose(once[1][3].flip(-1), -sheets[3])
    assert torch.allclose(once[1][6].flip(-1), -sheets[6])
    hit = (once[0] != 255).any(0)
    assert torch.equal(once[0][0][hit].int(), 255 - picture[0].flip(-1)[hit].int()), "left is right"
    assert (once[0] == 255).all(0).sum() == (picture == 255).all(0).sum()


def test_the_tokens_are_those_that_the_engine_reads(tmp_path: Path) -> None:
    """The library's class under its published names, whatever this version calls its parts."""
    config = CONFIGS["tiny"].tokens
    torch.manual_seed(1)
    network = TokenNetwork(config)
    Tokens(config).export(tmp_path / "tokens", network)
    pixels = torch.randn(4, 3, config.pixels, config.pixels)
    loaded = load_tokenizer(tmp_path / "tokens")
    assert loaded.config.image_size == config.pixels
    assert torch.equal(image_tokens(loaded, pixels), image_tokens(network.backbone, pixels))
    for _ in range(200):
        network(pixels)  # and what all have in common is known
    Tokens(config).export(tmp_path / "centred", network)
    found = image_tokens(load_tokenizer(tmp_path / "centred"), pixels)[:, 5:]
    raw = network.backbone(pixels).last_hidden_state[:, 5:]
    torch.testing.assert_close(found, layer_norm32(raw - network.middle, 1e-5), rtol=1e-4, atol=1e-4)
    common = raw.mean((0, 1))[:4]
    assert (common - network.middle[:4]).norm() < 0.1 * common.norm()


def test_the_last_channels_of_tokens_say_where_they_are(shape: Drawn) -> None:
    """Whatever the network learns: a patch's row and column, and nothing at tokens of no place."""
    part, side = Tokens(CONFIGS["tiny"].tokens), 2
    torch.manual_seed(1)
    network = part.make()
    assert isinstance(network, TokenNetwork)
    objects = [part.varied(tensors_of(shape), None)]
    optimizer = torch.optim.AdamW(network.parameters(), lr=1e-2, weight_decay=0.0)
    before = network.backbone(objects[0]["pixels"][None]).last_hidden_state[0]
    for _ in range(2):
        optimizer.zero_grad()
        part.loss(network, objects, None)["loss"].backward()
        optimizer.step()
    after = network.backbone(objects[0]["pixels"][None]).last_hidden_state[0]
    assert not torch.allclose(after[:, : -2 * side], before[:, : -2 * side])
    places = torch.tensor([[row, column] for row in range(side) for column in range(side)])
    assert torch.equal(after[5:, -2 * side :].unflatten(1, (2, side)).argmax(2), places)
    assert torch.equal(after[5:, -2 * side :].count_nonzero(1), torch.full((side**2,), 2))
    assert not after[:5, -2 * side :].any()


def test_an_object_and_its_mirror_image_are_encoded_together_as_alone(shape: Drawn) -> None:
    """And several structures as each of them, when their scale is found."""
    config, tensors = CONFIGS["tiny"], tensors_of(shape)
    torch.manual_seed(1)
    structures, latents = Structures(config.structures).make().encoder, Latents(config.latents).make().encoder
    torch.nn.init.normal_(latents.out_layer.weight)
    encoders = Encoders(TokenNetwork(config.tokens).backbone, structures, latents, scale=0.7)
    plain, other = encoded(tensors, encoders, mirror=True)
    coords, distances = turned(tensors["coords"].int(), tensors["distances"].float(), (0, 1, 2), [0])
    pictures = [mirrored(picture, tensors["sheets"])[0] for picture in tensors["pictures"]]
    reflected = {**tensors, "coords": coords, "distances": distances, "pictures": torch.stack(pictures)}
    for found, source in ((plain, tensors), (other, reflected)):
        (alone,) = encoded(source, encoders)
        for name, tensor in alone.items():
            torch.testing.assert_close(found[name], tensor, rtol=1e-3, atol=1e-3)
    assert not torch.equal(plain["structure"], other["structure"])
    both = spread([tensors, reflected], encoders)
    assert both**2 == pytest.approx(sum(spread([each], encoders) ** 2 for each in (tensors, reflected)) / 2)


def test_the_first_camera_sees_the_true_surface_about_as_the_picture_shows_it(shape: Drawn) -> None:
    """About, as the picture has a lens."""
    tensors = tensors_of(shape)
    found = placed(tensors["coords"].int(), tensors["distances"].float())
    its = Placed(*(found[part] for part in ("vertices", "triangles", "extrinsics", "intrinsics")))
    target = its.target(0, views.PIXELS)
    picture = tensors["pictures"][0] / 255
    hit, shown = target.truth.mask[0] > 0, (picture < 1).any(0)
    assert (hit & shown).sum() / (hit | shown).sum() > 0.8
    right, away, up = 2 * target.truth.normal[:, hit & shown] - 1
    normals = 2 * picture[:, hit & shown] - 1
    cosine = torch.nn.functional.cosine_similarity(torch.stack([-right, up, -away]), normals, dim=0)
    assert torch.rad2deg(torch.arccos(cosine.clamp(-1, 1))).median() < 15


def test_normals_count_while_a_small_latent_flow_learns(run: Path) -> None:
    curve = read_curve(run / gathering.LATENT_FLOW / "trunk.jsonl")
    assert any(point["looks"] > 0 for point in curve)


def test_the_surface_of_a_mirror_image_is_mirrored(run: Path) -> None:
    plain, other = (read_tensors(run / "encoded" / f"shape-1-000002{end}.safetensors") for end in ("", "-mirrored"))
    reflected = plain["vertices"] * torch.tensor([-1.0, 1.0, 1.0])
    torch.testing.assert_close(other["vertices"].sort(0).values, reflected.sort(0).values, rtol=0, atol=1e-5)


def test_tokens_are_asked_for_the_voxels_behind_each_cell(shape: Drawn) -> None:
    part = Tokens(CONFIGS["tiny"].tokens)
    planes = part.varied(tensors_of(shape), None)["sheets"]
    rows, columns = planes[9:].any(0).nonzero().unbind(1)
    found = {(int(column), 31 - int(row)) for row, column in zip(rows, columns, strict=True)}
    assert found == {(int(x), int(z)) for x, _, z in shape.coords.tolist()}
    whole = planes[0] == 1
    ahead = planes[1][whole] - (
        planes[9:].argmax(0)[whole] / 32 - 0.5
    )  # of the mean, where a cell's first voxel begins
    assert ahead.min() > -1e-3
    assert ahead.median() < 2 / 32


@pytest.mark.slow
def test_trainings_go_on_where_they_stopped_and_cool(run: Path, tmp_path: Path) -> None:
    for part in (gathering.TOKENS, gathering.STRUCTURES, gathering.LATENTS):
        learn = (part, "--config", "tiny", "--objects", run / "objects", "--folder", tmp_path / part)
        call(*learn, "--steps", 4)
        assert (tmp_path / part / "trunk.jsonl").read_text() == (run / part / "trunk.jsonl").read_text()
        ending = "" if part == gathering.TOKENS else "-decoder"
        assert gathering.newest(run, part, ending) == run / part / f"cool-4{ending}"
        assert gathering.newest(tmp_path, part, ending) == tmp_path / part / f"trunk{ending}"
        assert any(key.startswith("held_out_") for key in read_curve(run / part / "cool-4.jsonl")[-1])
    with pytest.raises(UserError, match="no weights yet"):
        gathering.newest(tmp_path, gathering.LATENT_FLOW)


@pytest.mark.slow
def test_held_out_objects_come_last_and_are_not_mirrored(run: Path) -> None:
    names = sorted(path.stem for path in (run / "encoded").glob("*.safetensors"))
    assert len(names) == 2 * SHAPES + HELD_OUT
    assert all(name.startswith("test-") for name in names[-HELD_OUT:])
    one, other = (read_tensors(run / "encoded" / f"shape-1-000002{end}.safetensors") for end in ("", "-mirrored"))
    across = 31 - one["coords"][:, 0].int()
    assert torch.equal(across, other["coords"][:, 0].int())
    assert torch.equal(one["coords"][:, 1:], other["coords"][:, 1:])
    assert one["tokens"].shape == other["tokens"].shape == (2, 9, 8)


@pytest.mark.slow
def test_two_processes_encode_the_same(run: Path, tmp_path: Path) -> None:
    words = ("--objects", run / "objects", "--networks", run, "--encoded", tmp_path, "--surfaces", "--workers", 2)
    command = [sys.executable, "-s", "-m", "backend", "train", "encode-shapes", *map(str, words)]
    subprocess.run(command, cwd=Path(__file__).parents[4], check=True)
    for name in {path.name for path in (run / "encoded").glob("[!.]*")}:
        assert (tmp_path / name).read_bytes() == (run / "encoded" / name).read_bytes()


@pytest.mark.slow
def test_the_scale_of_structures_is_taken_from_the_latents_and_given_to_the_decoder(run: Path) -> None:
    scale = gathering.numbers(run / "encoded" / gathering.SCALE, "scale")["scale"]
    stem = next(name for name in GEOMETRY.files if "ss_dec" in name and name.endswith(".safetensors"))
    given = read_tensors(run / "weights" / GEOMETRY.name / stem)["input_layer.weight"]
    own = gathering.newest(run, gathering.STRUCTURES, "-decoder")
    learned = read_tensors(own.with_name(f"{own.name}.safetensors"))["input_layer.weight"]
    assert torch.allclose(given, learned * scale)
    names = [f"shape-1-{index:06}" for index in range(SHAPES)]
    structures = [read_tensors(run / "encoded" / f"{name}.safetensors")["structure"].float() for name in names]
    assert torch.stack(structures).square().mean().sqrt() == pytest.approx(1, abs=1e-2)


@pytest.mark.slow
def test_the_engine_samples_the_small_networks(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its own stages, on a held-out map. The structure's decoder has learned nothing: it is made to see something."""
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(run / "weights"))
    see(run / "weights", 9.0)
    made = drawn(HELD_OUT_SEED, 0)
    normal_map = truth.normal_map_of(made.seen)
    stages = Stages()
    quiet = {"precision": "auto", "report": silent}
    tokens = stages.read(normal_map, **quiet)
    assert tokens.shape == (1, 9, 8)
    pixels = normalised(torch.from_numpy(views.true_picture(made.seen)).permute(2, 0, 1))[None]
    own = image_tokens(load_tokenizer(gathering.newest(run, gathering.TOKENS)), pixels)
    assert np.abs(tokens - own.numpy()).mean() < 0.1 * own.std()
    flows = {"quality": "preview", **quiet}
    (structure,) = stages.structures([tokens], seeds=[1], structure_steps=2, structure_guidance=3.0, **flows)
    assert structure.resolution == 32
    assert len(structure.coords) == 32**3
    known = Structure(made.coords.int().numpy(), 32, structure.randomness)
    (latents,) = stages.latents([tokens], [known], latent_steps=2, latent_guidance=3.0, steady_noise=False, **flows)
    assert isinstance(latents, LatentsAtVoxels)
    assert latents.values.shape == (len(made.coords), 3)
    (mesh,) = stages.meshes([latents], [truth.cutout_of(normal_map)], [normal_map], solid=True, whole=True, **quiet)
    occupied = made.coords.numpy() / 32 - 0.5
    reach = 0.5 / 32
    assert len(mesh.triangles) > 100
    assert (mesh.vertices.min(axis=0) > occupied.min(axis=0) - reach).all()
    assert (mesh.vertices.max(axis=0) < occupied.max(axis=0) + 3 * reach).all()


@pytest.mark.slow
def test_shapes_are_measured_beside_the_drafts_body(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Networks that see nothing cost their own line alone."""
    monkeypatch.setenv("HI3DGEN_WEIGHTS", str(run / "weights"))
    see(run / "weights", -99.0)
    sheet = tmp_path / "sheet.png"
    assert main(["evaluate", "shapes", "--count", "1", "--steps", "2", "--sheet", str(sheet)]) == 1
    printed = capsys.readouterr()
    assert "test-000000 hi3dgen: The networks see no object" in printed.err
    draft = next(line for line in printed.out.splitlines() if line.startswith("mean draft")).split()[2:]
    assert 0 < float(draft[0]) < 0.1  # of the longest side
    picture = read_picture(sheet)
    assert picture.shape[1] == 10 * picture.shape[0]
    assert (picture[:, 4 * picture.shape[0] : 7 * picture.shape[0]] == 255).all()


def test_a_decoder_may_divide_voxels_once() -> None:
    config = LatentDecoderConfig(4, 32, 3, 1, 2, window_size=2, subdivision=2)
    coords = torch.tensor([[0, 1, 1, 1], [0, 1, 1, 2]], dtype=torch.int32)
    features, fine = LatentDecoder(config)(torch.zeros(2, 3), Voxels(coords, 1))
    assert (features.shape, len(fine), config.fine) == ((16, 53), 16, 8)
    with pytest.raises(ValueError, match="subdivision"):
        LatentDecoderConfig(4, 32, 3, 1, 2, subdivision=3)


def see(weights: Path, log_odds: float) -> None:
    """Let a structure's decoder add log-odds everywhere."""
    stem = next(name for name in GEOMETRY.files if "ss_dec" in name and name.endswith(".safetensors"))
    path = weights / GEOMETRY.name / stem
    tensors = load_file(path)
    save_file({**tensors, "out_layer.2.bias": torch.full_like(tensors["out_layer.2.bias"], log_odds)}, path)


def silent(step: int, of: int) -> None:
    """Ignores the progress."""


def corners(distances: torch.Tensor) -> torch.Tensor:
    """The distances (8 N, 8) at the corners of each voxel's cells, from those (N, 27) at its own."""
    grid = distances.unflatten(1, (3, 3, 3))
    cells = [(x, y, z) for x in (0, 1) for y in (0, 1) for z in (0, 1)]
    each = [
        torch.stack([grid[:, x + (c & 1), y + (c >> 1 & 1), z + (c >> 2)] for c in range(8)], dim=1)
        for x, y, z in cells
    ]
    return torch.stack(each, dim=1).flatten(0, 1)
