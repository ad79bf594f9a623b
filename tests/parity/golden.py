# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds and reads golden fixtures: numbers that the published code computed, to compare our networks with.

A fixture is NAME.safetensors with `weights.*` (or `weights_q8.*`, int8 with an exponent), `input.*` and `output.*`, and
NAME.json with the configuration. Small fixtures of every kind are in `fixtures`, beside this file. HI3DGEN_PARITY names
more folders, separated as in PATH; relative ones start at the checkout.

Every fixture of a known kind is tested, whatever its sizes, seeds and name are: its kind is what its JSON calls
"fixture", or its file's name, up to an underscore and a variant (`ss_flow_batch2`). A fixture without weights gets them
by the rule in `scripts/weights_by_rule.py`, from their names and shapes; such fixtures are of full size, so their tests
are slow. A fixture whose JSON names the rule "views-1" for its weights lists their shapes in a manifest; it is small
unless its manifest says otherwise.
"""

import json
import math
import os
import re
import struct
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    import torch

N = TypeVar("N", bound="torch.nn.Module")

ROOT = Path(__file__).parents[2]
OWN = Path(__file__).parent / "fixtures"
MANIFESTS = Path(__file__).parent / "manifests"
NAMED = tuple(ROOT / name for name in os.environ.get("HI3DGEN_PARITY", "").split(os.pathsep) if name)

NETWORKS = (
    *("ss_flow", "ss_dec", "slat_flow", "slat_dec_mesh", "image_cond", "normal_yoso", "pipeline_e2e"),
    *("sparse_conv", "sparse_attention", "swin_torso", "subdivide", "flow_dense", "flow_sparse"),
    *("ss_vae", "slat_enc", "train_step"),
    *("hi3d_unet", "hi3d_stage1", "hi3d_stage2", "hi3d_dpt", "hi3d_aesthetic", "hi3d_clip", "hi3d_vae"),
    *("sv3d_u", "sv3d_p"),
    *("zero123pp", "zero123"),
)
"""Kinds that need weights."""
ALGORITHMS = (
    *("features2mesh", "normal_postprocess", "preprocess_image", "sampler", "sparse_updown", "surface"),
    *("geometry_camera", "geometry_raster", "geometry_bake", "geometry_fit"),
    *("grad_clip", "t_sampling", "features", "latent_stats", "mesh_losses"),
    *("hi3d_tables", "hi3d_depth9", "hi3d_frames", "hi3d_checkpoint", "sv3d_inputs"),
    *("zero123pp_scale",),
)
"""Kinds that need none."""
VIEWS = ("hifi_rgnv", "hifi_rgsd")
"""Kinds whose small networks get their weights by the rule "views-1", from manifests in the folder `manifests`."""
KINDS = NETWORKS + ALGORITHMS + VIEWS
_FULL_SIZE = 10**8  # values of a network whose weights a manifest lists, from which its tests are slow
_CUT = re.compile(r"(.+)([_.])(first|stride)(\d+)")


@dataclass(frozen=True)
class Source:
    """A fixture's files.

    kind: one of `KINDS`, or empty if it is unknown. by_rule: whether its weights follow from their
    names and shapes.
    """

    path: Path  # the JSON
    kind: str
    by_rule: bool

    @property
    def name(self) -> str:
        """The file's name, after its folder's unless that is `OWN`."""
        return self.path.stem if self.path.parent == OWN else f"{self.path.parent.name}/{self.path.stem}"


@dataclass(frozen=True)
class Fixture:
    """One computation of the published code: its configuration, weights, inputs and outputs."""

    facts: dict[str, Any]  # the JSON
    tensors: dict[str, "torch.Tensor"]
    folder: Path = OWN

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the network, in its published names."""
        return self.facts["config"]

    def has_input(self, name: str) -> bool:
        """Whether there is a tensor `input.NAME`."""
        return f"input.{name}" in self.tensors

    def has_output(self, name: str) -> bool:
        """Whether there is a tensor `output.NAME`."""
        return f"output.{name}" in self.tensors

    def input(self, name: str, deviation: float = 1) -> "torch.Tensor":
        """The tensor `input.NAME`; if the JSON names a key for it instead, by the rule, with the deviation.

        Several keys give as many tensors, joined along their first axis.
        """
        import torch
        from weights_by_rule import input_by_rule, views_input_by_rule

        if self.has_input(name):
            return self.tensors[f"input.{name}"]
        if name in self.facts.get("inputs_by_rule", {}):
            made = self.facts["inputs_by_rule"][name]
            keys, clamped = made.get("keys") or [made["key"]], "clamp" in made.get("then", "")
            return torch.cat([views_input_by_rule(key, tuple(made["shape"]), clamped=clamped) for key in keys])
        key, shape, sha256 = (self.facts[f"{name}_{fact}"] for fact in ("key", "shape", "sha256"))
        return input_by_rule(key, shape, sha256, deviation)

    def output(self, name: str) -> "torch.Tensor":
        """The tensor `output.NAME`."""
        return self.tensors[f"output.{name}"]

    @property
    def outputs(self) -> list[str]:
        """The names of all outputs."""
        return [name.removeprefix("output.") for name in self.tensors if name.startswith("output.")]

    def weights(self, prefix: str = "") -> dict[str, "torch.Tensor"]:
        """The weights whose names begin with `prefix`, by the rest of their names; int8 ones as float32."""
        if "weights" in self.facts:
            from weights_by_rule import views_weights_by_rule

            shapes = _shapes(self.folder, self.facts)
            own = {name: shape for name, shape in shapes.items() if name.startswith(prefix)}
            made = views_weights_by_rule(own, self.facts["weights"]["salt"])
            return {name.removeprefix(prefix): tensor for name, tensor in made.items()}
        exponents = _flat(self.facts.get("weight_exponents", {}))
        found: dict[str, torch.Tensor] = {}
        for name, tensor in self.tensors.items():
            group, _, key = name.partition(".")
            if group not in {"weights", "weights_q8"} or not key.startswith(prefix):
                continue
            whole = tensor.float() * 2.0 ** -exponents[key] if group == "weights_q8" else tensor
            found[key.removeprefix(prefix)] = whole
        return found

    def weights_like(self, tensors: Mapping[str, "torch.Tensor"], prefix: str = "") -> dict[str, "torch.Tensor"]:
        """Weights for a network with these `tensors`: the fixture's own, or by the rule if it has none."""
        from weights_by_rule import weights_by_rule

        return self.weights(prefix) or weights_by_rule(tensors)

    def views_weights(self, part: str) -> dict[str, "torch.Tensor"]:
        """The weights of a part ("unet") by the rule "views-1", by the names that follow the part's own."""
        from weights_by_rule import views_weights_by_rule

        stated = self.facts["weights"]
        shapes = json.loads((self.folder / stated[f"{part}_manifest"]).read_text(encoding="utf-8"))
        weights = views_weights_by_rule(shapes, stated["salt"])
        for name, factor in stated.get("scale_after_rule", {}).items():
            if name in weights:
                weights[name] *= factor
        return {name.removeprefix(f"{part}."): tensor for name, tensor in weights.items()}


def read(path: Path) -> Fixture:
    """Reads the fixture whose JSON is `path`; skips the test if torch or safetensors is missing."""
    pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
    load_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed here").load_file
    facts = json.loads(path.read_text(encoding="utf-8"))
    return Fixture(facts, load_file(path.with_suffix(".safetensors")), path.parent)


def each(kind: str, *, with_weights: bool = False, slow: bool = False) -> pytest.MarkDecorator:
    """Runs a test with `path` set to every fixture of a kind; `with_weights`: only to those that hold their weights.

    slow: the test takes more than a few seconds even with small networks.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind} is missing in the list of kinds")
    marks = (pytest.mark.slow, pytest.mark.timeout(1800))
    chosen = [
        pytest.param(source.path, id=source.name, marks=marks if slow or source.by_rule else ())
        for source in sources()
        if source.kind == kind and not (with_weights and source.by_rule)
    ]
    return pytest.mark.parametrize("path", chosen)


@cache
def sources(folders: tuple[Path, ...] = (OWN, *NAMED)) -> list[Source]:
    """Every fixture in the folders: each JSON file that has a safetensors file of its name."""
    found: list[Source] = []
    for folder in folders:
        for path in sorted(folder.glob("*.json")):
            if path.with_suffix(".safetensors").is_file():
                kind = _kind_of(path)
                found.append(Source(path, kind, by_rule=kind in NETWORKS and not _is_small(path)))
    return found


def manifest(kind: str) -> dict[str, Any]:
    """What the published checkpoint of a kind holds, as `manifests/README.md` describes it."""
    return json.loads((MANIFESTS / f"{kind}.json").read_text(encoding="utf-8"))


def published(kind: str) -> dict[str, "torch.Tensor"]:
    """The published checkpoint's tensors without their values, on torch's "meta" device."""
    import torch

    return {
        name: torch.empty(shape, dtype=getattr(torch, dtype), device="meta")
        for name, (dtype, shape) in manifest(kind)["tensors"].items()
    }


def full(manifest: str, prefix: str) -> dict[str, "torch.Tensor"]:
    """The tensors of a published checkpoint whose names begin with `prefix`, by the rest, on torch's "meta" device.

    `manifest` names a list of names and shapes; values are float32.
    """
    import torch

    listed: dict[str, list[int]] = json.loads((MANIFESTS / f"{manifest}.json").read_text(encoding="utf-8"))
    return {
        name.removeprefix(prefix): torch.empty(shape, device="meta")
        for name, shape in listed.items()
        if name.startswith(prefix)
    }


def forms(tensors: Mapping[str, "torch.Tensor"]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Every tensor's shape and dtype by its name, as a manifest gives them."""
    return {name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in tensors.items()}


def network(build: Callable[[], N], weights: Mapping[str, "torch.Tensor"] | None) -> N:
    """A network on torch's "meta" device, or with weights."""
    import torch

    from backend.nn.checkpoint import fill

    with torch.device("meta"):
        built = build()
    if weights is not None:
        fill(built, weights, "the fixture")
    return built


def assert_close(ours: "torch.Tensor", theirs: "torch.Tensor", relative: float = 2e-6, absolute: float = 1e-5) -> None:
    """The largest difference is at most `relative` times the largest magnitude, or `absolute` if that is larger."""
    assert ours.shape == theirs.shape
    tolerance = max(absolute, relative * theirs.abs().max().item()) if theirs.numel() else 0
    difference = (ours.double() - theirs.double()).abs().max().item() if theirs.numel() else 0
    assert difference <= tolerance, f"differs by {difference:.3g}, {tolerance:.3g} is allowed"


def assert_outputs_close(
    fixture: Fixture,
    ours: Mapping[str, "torch.Tensor"],
    needed: Collection[str] = (),
    relative: float = 2e-6,
    absolute: float = 1e-5,
) -> None:
    """Each of `ours` is close to the fixture's output of that name, if it has one; it has those that are `needed`.

    A name may end in `_first8`: 8 rows are compared, all axes but the last taken together; in `.first8`: the first 8
    along the first axis; in `_stride8` or `.stride8`: every 8th of the last two axes.
    """
    compared: set[str] = set()
    for name in fixture.outputs:
        cut = _CUT.fullmatch(name)
        whole, mark, how, number = cut.groups() if cut else (name, "", "", "0")
        if whole in ours:
            found, count = ours[whole], int(number)
            if how == "first":
                found = (found.flatten(0, -2) if mark == "_" else found)[:count]
            if how == "stride":
                found = found[..., ::count, ::count]
            theirs = fixture.output(name)
            # Published rows of a batch of one have no axis for the batch.
            assert_close(
                found.view_as(theirs) if found.numel() == theirs.numel() else found, theirs, relative, absolute
            )
            compared.add(whole)
    assert set(needed) <= compared


def watched(part: "torch.nn.Module") -> list["torch.Tensor"]:
    """A list to which every output of `part` will be appended."""
    outputs: list[torch.Tensor] = []

    def note(part: "torch.nn.Module", given: tuple[Any, ...], output: "torch.Tensor") -> None:
        outputs.append(output)

    part.register_forward_hook(note)
    return outputs


def no_report(step: int, of: int) -> None:
    """A report for tests that do not look at it."""


def _flat(exponents: dict[str, Any], prefix: str = "") -> dict[str, int]:
    """The exponents by whole names; a fixture of several networks groups them by network."""
    flat: dict[str, int] = {}
    for name, value in exponents.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _kind_of(path: Path) -> str:
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return ""
    stated = facts.get("fixture", "") if isinstance(facts, dict) else ""
    for name in (stated, path.stem):
        for kind in sorted(KINDS, key=len, reverse=True):  # zero123pp_scale is no zero123pp
            if name == kind or str(name).startswith(f"{kind}_"):
                return kind
    return ""


def _is_small(path: Path) -> bool:
    """Whether the fixture of networks holds its weights, or a manifest lists few enough to make them quickly."""
    facts = json.loads(path.read_text(encoding="utf-8"))
    if "weights" in facts:
        return sum(math.prod(shape) for shape in _shapes(path.parent, facts).values()) < _FULL_SIZE
    return any(name.startswith("weights") for name in _tensor_names(path.with_suffix(".safetensors")))


def _shapes(folder: Path, facts: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shapes of a fixture's weights by the rule "views-1", by their published names."""
    if facts["weights"]["rule"] != "views-1":
        raise ValueError(f"the rule {facts['weights']['rule']} is unknown")
    stated = facts["weights"]
    shapes: dict[str, tuple[int, ...]] = {}
    for path in stated["manifests"].values() if "manifests" in stated else [stated["manifest"]]:
        listed = folder / path if (folder / path).is_file() else MANIFESTS / Path(path).name
        read = json.loads(listed.read_text(encoding="utf-8"))
        shapes |= {name: tuple(shape) for name, shape in read.items()}
    return shapes


def _tensor_names(path: Path) -> list[str]:
    """The names in a safetensors file's header, read without the library, which not every environment has."""
    with path.open("rb") as file:
        start = file.read(8)
        length = struct.unpack("<Q", start)[0] if len(start) == 8 else 0
        return list(json.loads(file.read(length))) if 0 < length < 2**27 else []
