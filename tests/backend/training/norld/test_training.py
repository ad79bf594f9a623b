# SPDX-License-Identifier: GPL-3.0-or-later
"""The flow models are trained on a folder of objects, go on to the bit, and learn normals only if they are asked to."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch", reason="torch is not installed here: the extra training has it")
pytest.importorskip("safetensors", reason="safetensors is not installed here")

import torch
from safetensors.torch import save_file

from backend.__main__ import main
from backend.errors import UserError
from backend.models.latent_decoder import LatentDecoder, LatentDecoderConfig
from backend.models.latent_encoder import LatentEncoder, LatentEncoderConfig
from backend.models.latent_flow import LatentFlow, LatentFlowConfig, Normalization
from backend.models.structure_encoder import StructureEncoder, StructureEncoderConfig
from backend.models.structure_flow import StructureFlow, StructureFlowConfig
from backend.nn.checkpoint import load_network
from backend.safe_files import write_json
from backend.surface.surface import extract_surface
from backend.training.core.checkpoint import begin
from backend.training.core.curve import read_curve
from backend.training.core.devices import Devices
from backend.training.core.loop import Run, train
from backend.training.core.state import State
from backend.training.core.task import Moment
from backend.training.norld.config import LATENT_CONFIGS, STRUCTURE_CONFIGS, Regularisation
from backend.training.norld.export import write_network
from backend.training.norld.flow_matching import velocity_at
from backend.training.norld.normal_regularisation import load_decoder
from backend.training.norld.objects import Batch, objects_of
from backend.training.norld.preparation import load_encoder, load_latent_encoder
from backend.training.norld.task import FlowTask, flow_of
from backend.training.norld.views import camera_at, on_sphere
from tests.backend.training.norld.tiny import block, decoder, voxels_of
from tests.backend.training.ranks import run_two

VIEWS = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six objects, whose true meshes are what the tiny decoder makes of their latents."""
    folder = tmp_path_factory.mktemp("objects")
    frozen = decoder(dtype=torch.float32)
    generator = torch.Generator().manual_seed(6)
    cameras = [camera_at(yaw, pitch) for yaw, pitch in on_sphere(VIEWS, (0.1, 0.2)).tolist()]
    for number in range(6):
        coords = block()[: 1 + number % 2]
        latents = torch.randn(len(coords), 3, generator=generator)
        with torch.no_grad():
            features, fine = frozen.features(latents, voxels_of(coords))
            surface = extract_surface(fine.coords[:, 1:], features, frozen.resolution)
        tensors = {
            "tokens": torch.randn(VIEWS, 5, 8, generator=generator),
            "structure": torch.randn(3, 4, 4, 4, generator=generator),
            "coords": coords.to(torch.uint8),
            "latents": frozen.normalization.undone(latents),
            "vertices": surface.vertices,
            "triangles": surface.triangles,
            "extrinsics": torch.stack([camera.extrinsics for camera in cameras]),
            "intrinsics": torch.stack([camera.intrinsics for camera in cameras]),
        }
        save_file(tensors, folder / f"object-{number}.safetensors")
    write_json(folder / "normalization.json", {"mean": frozen.normalization.mean, "std": frozen.normalization.std})
    return folder


@pytest.fixture(scope="module")
def uneven(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve objects of 2 to 64 voxels, without meshes."""
    folder = tmp_path_factory.mktemp("uneven")
    generator = torch.Generator().manual_seed(7)
    every = torch.cartesian_prod(*[torch.arange(4)] * 3).to(torch.uint8)
    for number, count in enumerate((64, 2, 3, 40, 5, 60, 8, 20, 50, 30, 4, 6)):
        tensors = {
            "tokens": torch.randn(VIEWS, 5, 8, generator=generator),
            "coords": every[torch.randperm(64, generator=generator)[:count].sort().values],
            "latents": torch.randn(count, 3, generator=generator),
        }
        save_file(tensors, folder / f"object-{number:02}.safetensors")
    write_json(folder / "normalization.json", {"mean": [0.0] * 3, "std": [1.0] * 3})
    return folder


def latent_flow(**sizes: Any) -> LatentFlow:
    return LatentFlow(LatentFlowConfig(**sizes))


def structure_flow(**sizes: Any) -> StructureFlow:
    return StructureFlow(StructureFlowConfig(**sizes))


def go(task: FlowTask, folder: Path, steps: int) -> Path:
    return train(Run(task, folder, "trunk", None, steps, task.config.settings), lambda _: None)


def latent_task(folder: Path, **changes: object) -> FlowTask:
    config = replace(LATENT_CONFIGS["tiny"], **changes)
    return FlowTask(config, objects_of(folder, 3, 8, dense=False), decoder=decoder(dtype=torch.float32))


def test_a_training_with_normals_goes_on_where_it_stopped(folder: Path, tmp_path: Path) -> None:
    go(latent_task(folder), tmp_path / "one", 5)
    go(latent_task(folder), tmp_path / "one", 10)
    whole = go(latent_task(folder), tmp_path / "whole", 10)
    curves = [(tmp_path / name / "trunk.jsonl").read_text() for name in ("one", "whole")]
    assert curves[0] == curves[1]
    weights = [torch.load(tmp_path / name / "trunk.pt", weights_only=True)["network"] for name in ("one", "whole")]
    assert all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    line = read_curve(whole.with_suffix(".jsonl"))[-1]
    assert 0 < line["looks"] < 1
    assert line["normals"] > 0
    assert {"held_out_flow", "held_out_late"} <= line.keys()
    trained = load_network(whole.with_suffix(""), "SLatFlowModel", latent_flow)
    assert trained.dtype == torch.float16


@pytest.mark.parametrize("name", ["tiny", "small"])
def test_a_latent_flow_tells_voxels_of_one_cell_apart(name: str) -> None:
    """It has to answer with the noise of each, which the cell's mean alone does not hold."""
    torch.manual_seed(4)
    network = LATENT_CONFIGS[name].network
    flow = flow_of(network)
    for value in flow.parameters():
        torch.nn.init.normal_(value, std=0.1)
    state, tokens = torch.randn(2, network.in_channels), torch.randn(1, 5, network.cond_channels)
    times, voxels = torch.tensor([0.9]), voxels_of(torch.tensor([[0, 0, 0], [0, 0, 1]], dtype=torch.int32))
    assert len(voxels.cells) == 1
    with torch.no_grad():
        first, exchanged = (velocity_at(flow, each, times, tokens, voxels) for each in (state, state.flip(0)))
    assert float((first - exchanged).abs().mean()) > 0.1 * float(first.std())


def test_processes_share_the_objects_of_a_step_and_their_voxels(uneven: Path) -> None:
    """Those that one process would learn from with batches of twice the size, from any step on."""
    config = LATENT_CONFIGS["tiny"]
    objects = objects_of(uneven, 3, 8, dense=False)
    shared, alone = FlowTask(config, objects), FlowTask(replace(config, batch=2 * config.batch), objects)
    streams = [shared.batches(Moment("trunk", 3, share, 2)) for share in range(2)]
    whole = alone.batches(Moment("trunk", 3))
    for step in range(3, 13):
        shares, together = [next(stream) for stream in streams], next(whole)
        assert [len(share) for share in shares] == [config.batch] * 2
        voxels = [sum(len(item.data) for item in share.items) for share in shares]
        assert abs(voxels[0] - voxels[1]) <= max(len(item.data) for item in together.items)
        assert marks(*shares) == marks(together)
        resumed = [next(shared.batches(Moment("trunk", step, share, 2))) for share in range(2)]
        assert [marks(share) for share in resumed] == [marks(share) for share in shares]


def marks(*batches: Batch) -> list[tuple[float, int]]:
    """What tells the objects of batches, and their views, apart; in ascending order."""
    return sorted((float(item.data.sum()), item.view) for batch in batches for item in batch.items)


@dataclass(frozen=True)
class Shares:
    """What several processes learn from in a step, for one: the parts of each, with whose they are."""

    batches: Sequence[Batch]

    def __len__(self) -> int:
        return sum(map(len, self.batches))

    def parts(self, count: int) -> list[tuple[int, Batch]]:
        """The parts of all processes."""
        return [(share, part) for share, batch in enumerate(self.batches) for part in batch.parts(count)]


def taken_by_one(task: FlowTask, shares: int, steps: int) -> State:
    """Where so many steps lead one process that does what several would share."""
    torch.manual_seed(task.seed)
    state = begin(task, steps, torch.device("cpu"))
    streams = [task.batches(Moment("trunk", 0, share, shares)) for share in range(shares)]

    def loss(network: Any, part: tuple[int, Batch], moment: Moment) -> Any:
        return task.loss(network, part[1], replace(moment, share=part[0]))

    told: Any = SimpleNamespace(schedule=task.schedule, loss=loss)
    step = task.config.settings(told, state, Devices(torch.device("cpu")))
    for _ in range(steps):
        given: Any = Shares([next(stream) for stream in streams])
        step(given)
    return state


@pytest.mark.slow
def test_two_processes_take_the_steps_of_one_and_go_on_where_they_stopped(uneven: Path, tmp_path: Path) -> None:
    """With real processes: the gradients of both shares, whose parts differ in size, are averaged in every step."""
    pytest.importorskip("accelerate", reason="accelerate is not installed here: the extra training has it")
    command = [sys.executable, "-m", "backend", "train", "latent-flow", "--config", "tiny", "--objects", str(uneven)]
    assert run_two([*command, "--folder", str(tmp_path), "--steps", "5"]) == [0, 0]
    assert run_two([*command, "--folder", str(tmp_path), "--steps", "10"]) == [0, 0]
    found = torch.load(tmp_path / "trunk.pt", weights_only=True)
    assert (found["step"], found["pictures"]) == (10, 80)
    task = FlowTask(LATENT_CONFIGS["tiny"], objects_of(uneven, 3, 8, dense=False))
    alone = taken_by_one(task, 2, 10)
    torch.testing.assert_close(found["network"], dict(alone.network.state_dict()), rtol=0, atol=1e-4)
    for number, kept in alone.optimizer.state_dict()["state"].items():  # moving means of the gradients
        torch.testing.assert_close(found["optimizer"]["state"][number]["exp_avg"], kept["exp_avg"], rtol=0, atol=1e-5)


def test_without_weight_the_normals_change_nothing(folder: Path, tmp_path: Path) -> None:
    """To the bit: the flow's own draws do not depend on the views."""
    plain = replace(latent_task(folder), decoder=None)
    weights = []
    for name, task in (
        ("plain", plain),
        ("none", latent_task(folder, regularisation=Regularisation(share=0.0, size=16, every=2))),
        ("some", latent_task(folder, regularisation=Regularisation(share=0.5, size=16, every=1))),
    ):
        weights.append(torch.load(go(task, tmp_path / name, 3), weights_only=True)["network"])
    for name, value in weights[0].items():
        assert torch.equal(value, weights[1][name]), name
    assert not torch.equal(weights[0]["out_layer.weight"], weights[2]["out_layer.weight"])


def test_the_early_ones_of_the_flows_own_times_are_looked_at(folder: Path, tmp_path: Path) -> None:
    chosen = Regularisation(size=16, latest=0.999, other_view=1.0)
    path = go(latent_task(folder, regularisation=chosen, p_uncond=0.0), tmp_path, 5)
    assert read_curve(path.with_suffix(".jsonl"))[-1]["looks"] == 1
    chosen = replace(chosen, latest=1e-6)
    path = go(latent_task(folder, regularisation=chosen), tmp_path / "late", 5)
    assert read_curve(path.with_suffix(".jsonl"))[-1]["looks"] == 0


def test_float16_goes_on_with_the_loss_scale_that_it_had(folder: Path, tmp_path: Path) -> None:
    config = STRUCTURE_CONFIGS["tiny"]
    settings = replace(config.settings, precision="fp16", log_scale=30.0)  # so high that the first steps are skipped
    task = FlowTask(replace(config, settings=settings), objects_of(folder, 3, 8, dense=True))
    go(task, tmp_path / "one", 5)
    paths = [go(task, tmp_path / "one", 25), go(task, tmp_path / "whole", 25)]
    one, whole = (torch.load(path, weights_only=True) for path in paths)
    assert whole["kept"]["log_scale"] < 30
    assert one["kept"] == whole["kept"]
    for part in ("network", "average"):
        assert all(torch.equal(value, whole[part][name]) for name, value in one[part].items())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_learns_with_float32_masters(folder: Path, tmp_path: Path, precision: str) -> None:
    config = STRUCTURE_CONFIGS["tiny"]
    scale = 20.0 if precision == "fp16" else None
    settings = replace(config.settings, precision=precision, log_scale=scale)
    task = FlowTask(replace(config, settings=settings, budget=0), objects_of(folder, 3, 8, dense=True))
    path = go(task, tmp_path, 20)
    content = torch.load(path, weights_only=True)
    assert content["network"]["blocks.0.mlp.mlp.0.weight"].dtype == torch.float32
    lines = read_curve(path.with_suffix(".jsonl"))
    assert lines[-1]["loss"] < lines[0]["loss"]
    if precision == "fp16":
        kept = content["kept"]["log_scale"]
        skipped = sum(5 * (1 - line["taken"]) for line in lines)
        assert kept == pytest.approx(20 - skipped + 0.001 * (20 - skipped))


def test_a_step_gathers_from_all_processes_only_if_normals_count(folder: Path) -> None:
    gathered: list[list[float]] = []

    class Counted(Devices):
        def together(self, values: list[float]) -> list[float]:
            gathered.append(values)
            return values

    place = Counted(torch.device("cpu"))
    plain = replace(latent_task(folder), decoder=None)
    assert plain.remembered(place) == {"strength": []}
    assert gathered == []
    latent_task(folder).remembered(place)
    assert gathered == [[]]


def test_the_command_trains_and_starts_from_what_it_wrote(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = decoder(dtype=torch.float32).network
    write_network(tmp_path / "decoder", "SLatMeshDecoder", frozen.config, frozen)
    common = ["train", "latent-flow", "--config", "tiny", "--objects", str(folder)]
    first, second = tmp_path / "first", tmp_path / "second"
    decoded = ["--decoder", str(tmp_path / "decoder")]
    assert main([*common, "--folder", str(first), "--steps", "5", *decoded]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == str(first / "trunk.pt")
    assert main([*common, "--folder", str(second), "--steps", "5", "--start", str(first / "trunk")]) == 0
    structure = ["train", "structure-flow", "--config", "tiny", "--objects", str(folder), "--steps", "5"]
    assert main([*structure, "--folder", str(tmp_path / "third")]) == 0
    load_network(
        tmp_path / "third" / "trunk",
        "SparseStructureFlowModel",
        structure_flow,
    )
    fourth = [*structure, "--folder", str(tmp_path / "fourth")]
    capsys.readouterr()
    for options, sentence in (
        ([*fourth, "--start", str(first / "trunk")], "trunk.json describes a 'SLatFlowModel' instead of a Sparse"),
        ([*fourth, "--start", str(first / "trank")], "trank.json is not there. Check --start"),
        ([*common, "--folder", str(second), "--decoder", str(first / "trank")], "trank.json is not there. Check --dec"),
    ):
        assert main(options) == 1
        said = capsys.readouterr().err
        assert sentence in said
        assert "ownload" not in said, "the files are the user's own"


def test_options_reach_the_task(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frozen = decoder(dtype=torch.float32).network
    write_network(tmp_path / "decoder", "SLatMeshDecoder", frozen.config, frozen)
    tasks: list[FlowTask] = []

    def noted(self: FlowTask, *given: Any) -> Any:
        tasks.append(self)
        return loss(self, *given)

    loss = FlowTask.loss
    monkeypatch.setattr(FlowTask, "loss", noted)
    command = ["train", "latent-flow", "--config", "tiny", "--objects", str(folder), "--steps", "1"]
    normals = ["--normals-share", "0.3", "--normals-latest", "0.4", "--normals-every", "3", "--normals-size", "24"]
    normals += ["--normals-other-view", "0.2"]
    assert main([*command, "--folder", str(tmp_path / "without"), *normals]) == 1, "they would do nothing"
    wanted = ["--memory", "0.001", "--decoder", str(tmp_path / "decoder"), *normals]
    assert main([*command, "--folder", str(tmp_path / "run"), *wanted]) == 0
    assert tasks[-1].config.budget == 10**6
    measured = LATENT_CONFIGS["tiny"].regularisation.measured
    assert tasks[-1].config.regularisation == Regularisation(0.3, measured, 0.4, 3, 24, 0.2)
    assert main([*command, "--folder", str(tmp_path / "plain")]) == 0
    assert tasks[-1].config == LATENT_CONFIGS["tiny"]
    structures = ["train", "structure-flow", *command[2:], "--folder", str(tmp_path / "structures"), "--memory", "0"]
    assert main(structures) == 0
    assert tasks[-1].config.budget == 0
    for value in ("-1", "much", "nan"):
        with pytest.raises(SystemExit):
            main([*structures[:-1], value])


def weights_of(role: str, stem: Path, sizes: int) -> None:
    """The files of a network that a training is given; `sizes` makes it smaller or larger."""
    if role == "structures":
        structures = StructureEncoderConfig(1, 3, 1, (4, 4 + sizes))
        write_network(stem, "SparseStructureEncoder", structures, StructureEncoder(structures))
    elif role == "latents":
        latents = LatentEncoderConfig(8, 4 + sizes, 8, 3, 1, 2, mlp_ratio=1, window_size=4)
        write_network(stem, "SLatEncoder", latents, LatentEncoder(latents))
    elif role == "decoder":
        decoded = LatentDecoderConfig(4, 256, 2 + sizes, 1, 2, mlp_ratio=0.25, window_size=2)
        write_network(stem, "SLatMeshDecoder", decoded, LatentDecoder(decoded))
    else:
        flow = LATENT_CONFIGS["tiny"].network
        assert isinstance(flow, LatentFlowConfig)
        flow = replace(flow, num_blocks=sizes)
        write_network(stem, "SLatFlowModel", flow, LatentFlow(flow))


@pytest.mark.parametrize("role", ["structures", "latents", "decoder", "start"])
def test_weights_that_are_cut_off_or_of_another_network_are_refused_by_name(
    role: str, folder: Path, tmp_path: Path
) -> None:
    """All tensors of the right names and shapes, or a sentence with the file: nothing is loaded in part."""
    objects = objects_of(folder, 3, 8, dense=False)
    assert objects.normalization is not None
    normalization = objects.normalization

    def load(stem: Path) -> object:
        if role == "structures":
            return load_encoder(stem)
        if role == "latents":
            return load_latent_encoder(stem)
        if role == "decoder":
            return load_decoder(stem, normalization)
        return FlowTask(LATENT_CONFIGS["tiny"], objects, start=stem).make_network(fresh=True)

    stem, other = tmp_path / "mine", tmp_path / "other"
    weights_of(role, stem, 1)
    weights_of(role, other, 2)
    load(stem)
    weights, description = (stem.with_suffix(suffix) for suffix in (".safetensors", ".json"))
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-9])
    with pytest.raises(UserError, match=r"mine\.safetensors cannot be read"):
        load(stem)
    weights.write_bytes(other.with_suffix(".safetensors").read_bytes())
    with pytest.raises(UserError, match=r"mine\.safetensors does not fit the network"):
        load(stem)
    weights.write_bytes(whole)
    description.write_text(description.read_text().replace('"name": "S', '"name": "Another S'))
    with pytest.raises(UserError, match=r"mine\.json describes a 'Another S"):
        load(stem)


def test_what_is_no_object_is_refused_with_a_sentence(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no objects"):
        objects_of(tmp_path, 3, 8, dense=True)
    wrong = objects_of(folder, 4, 8, dense=True)
    with pytest.raises(UserError, match="other numbers of channels"):
        wrong.read(wrong.names[0], 0.0)
    save_file({"tokens": torch.zeros(1, 1, 8)}, tmp_path / "one.safetensors")
    with pytest.raises(UserError, match="lacks “structure”"):
        objects_of(tmp_path, 3, 8, dense=True).read("one", 0.0)
    whole = (tmp_path / "one.safetensors").read_bytes()
    (tmp_path / "one.safetensors").write_bytes(whole[:-1])
    with pytest.raises(UserError, match=r"one\.safetensors is damaged.* Remove it, and make it again"):
        objects_of(tmp_path, 3, 8, dense=True).read("one", 0.0)
    (tmp_path / "one.safetensors").write_bytes(whole)
    with pytest.raises(UserError, match=r"have no normalization\.json .* `train prepare-objects` makes"):
        objects_of(tmp_path, 3, 8, dense=False)
    for scales in ({"mean": [0.0]}, {"mean": [0.0] * 3, "std": [1.0] * 2}):
        write_json(tmp_path / "normalization.json", scales)
        with pytest.raises(UserError, match="no scales"):
            objects_of(tmp_path, 3, 8, dense=False)
    with pytest.raises(UserError, match="too few"):
        FlowTask(STRUCTURE_CONFIGS["tiny"], objects_of(tmp_path, 3, 8, dense=True))
    crowded = torch.cartesian_prod(*[torch.arange(33)] * 3)
    tensors = {"tokens": torch.zeros(1, 1, 8), "coords": crowded.to(torch.uint8), "latents": torch.zeros(33**3, 3)}
    save_file(tensors, tmp_path / "one.safetensors")
    scaled = replace(objects_of(tmp_path, 3, 8, dense=True), normalization=Normalization((0.0,) * 3, (1.0,) * 3))
    assert scaled.voxels("one") == 33**3
    config = replace(LATENT_CONFIGS["tiny"], held_out=0)
    with pytest.raises(UserError, match="more than 32768 voxels"):
        next(FlowTask(config, scaled).batches(Moment("trunk", 0)))
    two = replace(scaled, names=["one", "one"])
    with pytest.raises(UserError, match="All held-out objects"):
        FlowTask(replace(config, held_out=1), two).held_out(tmp_path)
