# SPDX-License-Identifier: GPL-3.0-or-later
"""How many voxels of a structure come out the same in half precision as in float32.

    python scripts/benchmark.py precision              networks in full size, with weights by rule
    python scripts/benchmark.py precision --weights    with the weights that are installed

Both sample the structure from the same seeds and decode it. With weights by rule the decoder has learned nothing: very
many log-odds are near zero, so many voxels change.
"""

import argparse
from collections.abc import Sequence
from typing import Any

import full_size
import torch
from torch import Tensor

from backend.models.structure_decoder import StructureDecoder, occupied
from backend.models.structure_flow import StructureFlow, sample_structure, structure_noise
from backend.nn.sampler import Sampling

HALVES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py precision", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, default=50, help="of sampling")
    parser.add_argument("--dtypes", nargs="+", choices=HALVES, default=list(HALVES))
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--blocks", type=int, help="of the flow model's 24, if the weights are by rule")
    parser.add_argument("--weights", action="store_true", help="those that are installed")
    options = parser.parse_args(arguments)
    if options.weights:
        flow, decoder = _installed()
    else:
        flow, decoder = full_size.structure_flow(options.blocks), full_size.structure_decoder()
    tokens = torch.randn(1, 1374, flow.config.cond_channels, generator=torch.Generator().manual_seed(0))
    for dtype in options.dtypes:
        for seed in options.seeds:
            with torch.inference_mode():
                equal, flipped = compared(
                    flow,
                    decoder,
                    tokens,
                    seed=seed,
                    sampling=Sampling(options.steps),
                    dtype=HALVES[dtype],
                    device=options.device,
                )
            print(f"{dtype:9} seed {seed:3}, {options.steps} steps: {equal:.4%} of all places the same, ", end="")
            print(f"{flipped:.2%} of the voxels in one of the two only", flush=True)


def compared(
    flow: StructureFlow,
    decoder: StructureDecoder,
    tokens: Tensor,
    *,
    seed: int,
    sampling: Sampling,
    dtype: torch.dtype,
    device: str,
) -> tuple[float, float]:
    """The share of places in which float32 and `dtype` agree, and the share of both's voxels in which they differ."""
    whole, half = (
        structure(flow, decoder, tokens, seed=seed, sampling=sampling, dtype=one, device=device)
        for one in (torch.float32, dtype)
    )
    differ = (whole != half).sum().item()
    return 1 - differ / whole.numel(), differ / max(1, (whole | half).sum().item())


def structure(
    flow: StructureFlow,
    decoder: StructureDecoder,
    tokens: Tensor,
    *,
    seed: int,
    sampling: Sampling,
    dtype: torch.dtype,
    device: str,
) -> Tensor:
    """The occupied places: bool (F, F, F), by networks that compute in `dtype`, from weights rounded to half.

    The weights are those that are published, in half precision, whatever is computed in.
    """
    networks: tuple[Any, Any] = flow, decoder
    for network in networks:
        network.compute_in(torch.float16)
        network.compute_in(dtype)
        network.to(device)
    noise = structure_noise(flow.config, [torch.Generator().manual_seed(seed)]).to(device)
    latents = sample_structure(flow, tokens.to(device), noise, lambda _step, _of: None, sampling)
    logits = decoder(latents)
    there = torch.zeros(logits.shape[2:], dtype=torch.bool)
    x, y, z = occupied(logits).cpu().long()[:, 1:].unbind(1)
    there[x, y, z] = True
    return there


def _installed() -> tuple[Any, Any]:
    from backend.engines.hi3dgen.networks import networks  # noqa: PLC0415

    known = networks()
    return known["structure flow"].load(), known["structure decoder"].load()
