# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the published code's own networks on the weights and inputs that ours are timed with.

It needs a checkout of Stable-X/Hi3DGen and the packages that it imports (spconv and xformers or flash-attn among them).
"""

import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

import full_size
import torch
from benchmark_timing import Bench, raced
from torch import Tensor, nn

from backend.models.latent_decoder import SUBDIVISION
from backend.nn.sparse import Voxels
from backend.surface.surface import Surface, extract_surface

_T = 700.0  # the network's time


def compare(folder: Path, bench: Bench) -> None:
    """Prints seconds and the largest difference, a network a line; one sentence if the code cannot be run."""
    os.environ.setdefault("ATTN_BACKEND", "xformers")
    os.environ.setdefault("SPCONV_ALGO", "native")
    sys.path.insert(0, str(folder))
    try:
        models = import_module("hi3dgen.models")
        sparse = import_module("hi3dgen.modules.sparse")
        networks = {name: getattr(models, name) for name in _NETWORKS}
    except ImportError as error:
        print(f"\nThe published code in {folder} cannot be run here: {error}.")
        return
    finally:
        sys.path.remove(str(folder))
    if bench.device.type != "cuda":
        del networks["SLatMeshDecoder"]  # its grid lies on "cuda" whatever one asks for
    print(f"\n{'against the published code':33} {'ours':>11} {'theirs':>11}")
    for name, network in networks.items():
        ours, theirs = _NETWORKS[name](bench, network, sparse)
        race = raced(bench, ours, theirs)
        difference = "other counts" if race.difference is None else f"differs by {race.difference:.0e}"
        print(
            f"{name:33} {race.ours:9.3f} s {race.other:9.3f} s {race.other / race.ours:6.2f}x  {difference}", flush=True
        )


Ways = tuple[Callable[[], Any], Callable[[], Any]]


def _structure_flow(bench: Bench, network: Any, _sparse: Any) -> Ways:  # noqa: ANN401
    flow = full_size.structure_flow()
    theirs = _theirs(network, flow, bench, asdict(flow.config))
    x, tokens, t = _noise(bench, 1, 8, 16, 16, 16), *_shown(bench)
    contexts, time = flow.contexts(tokens), flow.time(t)
    return (lambda: flow(x, time, contexts)), (lambda: theirs(x, t, tokens))


def _latent_flow(bench: Bench, network: Any, sparse: Any) -> Ways:  # noqa: ANN401
    flow = full_size.latent_flow()
    theirs = _theirs(network, flow, bench, asdict(flow.config))
    coords = full_size.shell(bench.voxels).to(bench.device)
    x, tokens, t = _noise(bench, len(coords), 8), *_shown(bench)
    contexts, time, voxels = flow.contexts(tokens), flow.time(t), Voxels(coords)
    return (
        lambda: flow(x, time, contexts, voxels),
        lambda: theirs(sparse.SparseTensor(feats=x, coords=coords), t, tokens).feats,
    )


def _latent_decoder(bench: Bench, network: Any, sparse: Any) -> Ways:  # noqa: ANN401
    decoder = full_size.latent_decoder()
    theirs = _theirs(network, decoder, bench, asdict(decoder.config))
    coords = full_size.shell(bench.voxels).to(bench.device)
    x = _noise(bench, len(coords), 8)

    def ours() -> Surface:
        features, fine = decoder(x, Voxels(coords))
        return extract_surface(fine.coords[:, 1:], features, SUBDIVISION * decoder.config.resolution)

    def published() -> Surface:
        mesh = theirs(sparse.SparseTensor(feats=x, coords=coords))[0]
        return Surface(mesh.vertices, mesh.faces.int(), mesh.vertex_attrs)

    return ours, published


_NETWORKS: dict[str, Callable[[Bench, Any, Any], Ways]] = {
    "SparseStructureFlowModel": _structure_flow,
    "SLatFlowModel": _latent_flow,
    "SLatMeshDecoder": _latent_decoder,
}


def _theirs(network: Any, ours: Any, bench: Bench, config: dict[str, Any]) -> Any:  # noqa: ANN401
    """The published network with our weights; both then compute in the bench's dtype on its device."""
    config["use_fp16"] = bench.dtype == torch.float16
    theirs: nn.Module = network(**config)
    theirs.load_state_dict(ours.state_dict())
    ours.compute_in(bench.dtype)
    ours.to(bench.device)
    # Nothing in them depends on the mode but spconv, whose CPU build adds no bias unless it trains.
    return theirs.to(bench.device).train(bench.device.type == "cpu")


def _noise(bench: Bench, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(bench.device)


def _shown(bench: Bench) -> tuple[Tensor, Tensor]:
    return full_size.image_tokens_by_rule().to(bench.device), torch.tensor([_T], device=bench.device)
