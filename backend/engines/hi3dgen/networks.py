# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks of the hi3dgen engine: their files, how they are loaded and placed, and the memory that they take.

The numbers of values are those of the published checkpoints. The memory of the work was counted from the networks'
largest tensors that exist at the same time.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...models.birefnet import load_birefnet
from ...models.image_tokens import load_tokenizer
from ...models.latent_decoder import LatentDecoder, LatentDecoderConfig
from ...models.latent_flow import LatentFlow, LatentFlowConfig, Normalization
from ...models.normal_estimator import load_estimator
from ...models.pipeline_file import normalization_of, stem_of
from ...models.structure_decoder import StructureDecoder, StructureDecoderConfig
from ...models.structure_flow import StructureFlow, StructureFlowConfig
from ...nn.checkpoint import load_network
from ...nn.device import Compute
from ...nn.memory_plan import MemoryPlan, Network
from ...weights import store
from ...weights.catalogue import CONDITIONER, FOREGROUND, GEOMETRY, NORMALS, Package

_MILLION = 1_000_000


@dataclass(frozen=True)
class _Checkpoint:
    """One of the four networks in the package of the geometry."""

    role: str  # in pipeline.json
    kind: str  # in the network's own description
    build: Callable[..., nn.Module]


def _structure_flow(**sizes: Any) -> StructureFlow:  # noqa: ANN401  JSON
    return StructureFlow(StructureFlowConfig(**sizes))


def _structure_decoder(**sizes: Any) -> StructureDecoder:  # noqa: ANN401
    return StructureDecoder(StructureDecoderConfig(**sizes))


def _latent_flow(**sizes: Any) -> LatentFlow:  # noqa: ANN401
    return LatentFlow(LatentFlowConfig(**sizes))


def _latent_decoder(**sizes: Any) -> LatentDecoder:  # noqa: ANN401
    return LatentDecoder(LatentDecoderConfig(**sizes))


_CHECKPOINTS = {
    "structure flow": _Checkpoint("sparse_structure_flow_model", "SparseStructureFlowModel", _structure_flow),
    "structure decoder": _Checkpoint("sparse_structure_decoder", "SparseStructureDecoder", _structure_decoder),
    "latent flow": _Checkpoint("slat_flow_model", "SLatFlowModel", _latent_flow),
    "latent decoder": _Checkpoint("slat_decoder_mesh", "SLatMeshDecoder", _latent_decoder),
}


def networks() -> Mapping[str, Network]:
    """Every network of the engine, by name. Nothing is read before it is needed."""
    return {
        "foreground": Network(
            "network for the foreground",
            values=221 * _MILLION,
            works=(600 * _MILLION, 0),
            files=partial(_files, FOREGROUND),
            load=lambda: load_birefnet(store.find(FOREGROUND)),
            place=lambda network, compute, _: network.to(compute.device, compute.dtype),
        ),
        "normals": Network(
            "normal estimator",
            values=1301 * _MILLION,
            works=(700 * _MILLION, 0),  # four of the decoder's last features, 256 x 768 x 768
            files=partial(_files, NORMALS),
            load=lambda: load_estimator(store.find(NORMALS)),
            place=lambda estimator, compute, plan: estimator.to(
                torch.device("cpu") if plan.apart else compute.device, compute.dtype
            ),
        ),
        "tokenizer": Network(
            "tokenizer",
            values=305 * _MILLION,
            works=(60 * _MILLION, 0),
            files=partial(_files, CONDITIONER),
            load=lambda: load_tokenizer(store.find(CONDITIONER)),
            place=lambda network, compute, _: network.to(compute.device),
            single=True,
        ),
        # Features of 4096 cells 14 times over, and the picture's keys and values in every block.
        "structure flow": _of_geometry("structure flow", 560, (200 * _MILLION, 0)),
        "structure decoder": _of_geometry("structure decoder", 74, (100 * _MILLION, 0)),
        # For each voxel some 0.3 cells with 20 times 1024 channels, and its own before and after them.
        "latent flow": _of_geometry("latent flow", 601, (100 * _MILLION, 12_000)),
        # For each voxel 64 fine ones with three times 96 channels, or with 96 and 101 in float32.
        "latent decoder": _of_geometry("latent decoder", 91, (200 * _MILLION, 27_000)),
    }


def normalization() -> Normalization:
    """The scales of the latents in the package's pipeline.json. Raises UserError if they are missing or invalid."""
    return normalization_of(store.find(GEOMETRY))


def _of_geometry(name: str, millions: int, works: tuple[int, int]) -> Network:
    checkpoint = _CHECKPOINTS[name]

    def load() -> Any:  # noqa: ANN401  one of the four
        return load_network(_stem(checkpoint.role), checkpoint.kind, checkpoint.build)

    def place(network: Any, compute: Compute, _: MemoryPlan) -> Any:  # noqa: ANN401
        network.compute_in(compute.dtype)  # on the CPU, so that no wider copy has to fit on the device
        return network.to(compute.device)

    return Network(
        label=f"{name.replace('flow', 'flow model')}",
        values=millions * _MILLION,
        works=works,
        files=lambda: [_stem(checkpoint.role).parent / f"{_stem(checkpoint.role).name}.safetensors"],
        load=load,
        place=place,
    )


def _stem(role: str) -> Path:
    """The path of a network's files without the suffix, from pipeline.json. Raises UserError if it is missing there."""
    return stem_of(store.find(GEOMETRY), role)


def _files(package: Package) -> list[Path]:
    folder = store.find(package)
    return [folder / name for name in package.files if name.endswith(".safetensors")]
