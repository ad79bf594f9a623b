# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the golden numbers that the published code computed, to hold our networks against.

HI3DGEN_PARITY names the folder with the small fixtures (default: ../shared/parity/tiny beside the checkout); the
full-size ones lie in `full` beside that folder. A fixture is NAME.safetensors with `weights.*` (or `weights_q8.*`,
int8 with an exponent), `input.*` and `output.*`, and NAME.json with the configuration. NAME is its kind, or begins
with its kind and an underscore where there are several. Nothing here knows what a fixture's sizes or seeds are.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / os.environ.get("HI3DGEN_PARITY", "../shared/parity/tiny")
FULL = FOLDER.parent / "full"
MANIFESTS = FOLDER.parent / "manifests"


@dataclass(frozen=True)
class Fixture:
    """One computation of the published code: its configuration, weights, inputs and outputs."""

    name: str
    facts: dict[str, Any]  # the JSON
    tensors: dict[str, "torch.Tensor"]

    @property
    def config(self) -> dict[str, Any]:
        """The configuration of the network, in its published names."""
        return self.facts["config"]

    def input(self, name: str) -> "torch.Tensor":
        """The tensor `input.NAME`."""
        return self.tensors[f"input.{name}"]

    def output(self, name: str) -> "torch.Tensor":
        """The tensor `output.NAME`."""
        return self.tensors[f"output.{name}"]

    def weights(self, prefix: str = "") -> dict[str, "torch.Tensor"]:
        """Every weight whose name begins with `prefix`, under the rest of its name; float32 where it was int8."""
        exponents = _flat(self.facts.get("weight_exponents", {}))
        found: dict[str, torch.Tensor] = {}
        for name, tensor in self.tensors.items():
            group, _, key = name.partition(".")
            if group not in {"weights", "weights_q8"} or not key.startswith(prefix):
                continue
            whole = tensor.float() * 2.0 ** -exponents[key] if group == "weights_q8" else tensor
            found[key.removeprefix(prefix)] = whole
        return found


def read(path: Path) -> Fixture:
    """Reads the fixture whose JSON is `path`; skips the test where torch or safetensors is missing."""
    pytest.importorskip("torch", reason="torch is not installed here: the extra hi3dgen has it")
    load_file = pytest.importorskip("safetensors.torch", reason="safetensors is not installed here").load_file
    facts = json.loads(path.read_text(encoding="utf-8"))
    return Fixture(path.stem, facts, load_file(path.with_suffix(".safetensors")))


def each(kind: str) -> pytest.MarkDecorator:
    """Runs a test with `path` set to every small fixture of a kind, or skips it with a sentence where none is."""
    paths = [path for path in sorted(FOLDER.glob("*.json")) if _is_of(path, kind)]
    reason = f"no parity fixture {kind} in {FOLDER.name}: HI3DGEN_PARITY names the folder"
    nothing = [pytest.param(None, marks=pytest.mark.skip(reason=reason), id=kind)]
    return pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in paths] or nothing)


def full(kind: str) -> Fixture:
    """The full-size fixture of a kind; skips the test where it is missing."""
    path = FULL / f"{kind}.json"
    if not path.exists():
        pytest.skip(f"no full-size parity fixture {kind}: they lie in `full` beside the folder HI3DGEN_PARITY")
    return read(path)


def manifest(kind: str) -> dict[str, Any]:
    """What the published checkpoint of a kind holds; skips the test where the manifest is missing."""
    path = MANIFESTS / f"{kind}.json"
    if not path.exists():
        pytest.skip(f"no manifest {kind}: they lie in `manifests` beside the folder HI3DGEN_PARITY")
    return json.loads(path.read_text(encoding="utf-8"))


def assert_close(ours: "torch.Tensor", theirs: "torch.Tensor", relative: float = 2e-6, absolute: float = 1e-5) -> None:
    """Largest difference at most `relative` times the largest magnitude, or `absolute`, whichever is larger."""
    assert ours.shape == theirs.shape
    tolerance = max(absolute, relative * theirs.abs().max().item())
    difference = (ours.double() - theirs.double()).abs().max().item()
    assert difference <= tolerance, f"differs by {difference:.3g}, {tolerance:.3g} is allowed"


def watched(part: "torch.nn.Module") -> list["torch.Tensor"]:
    """A list that every output of `part` is appended to."""
    outputs: list[torch.Tensor] = []

    def note(part: "torch.nn.Module", given: tuple[Any, ...], output: "torch.Tensor") -> None:
        outputs.append(output)

    part.register_forward_hook(note)
    return outputs


def forms(tensors: Mapping[str, "torch.Tensor"]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Every tensor's shape and dtype by its name, as a manifest gives them."""
    return {name: (tuple(tensor.shape), str(tensor.dtype).removeprefix("torch.")) for name, tensor in tensors.items()}


def published(kind: str) -> dict[str, "torch.Tensor"]:
    """The published checkpoint's tensors without their values, on torch's "meta" device."""
    import torch

    return {
        name: torch.empty(form["shape"], dtype=getattr(torch, form["dtype"]), device="meta")
        for name, form in manifest(kind)["tensors"].items()
    }


def _flat(exponents: dict[str, Any], prefix: str = "") -> dict[str, int]:
    """The exponents by whole names, where a fixture of several networks gives them a network at a time."""
    flat: dict[str, int] = {}
    for name, value in exponents.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _is_of(path: Path, kind: str) -> bool:
    return path.stem == kind or path.stem.startswith(f"{kind}_")
