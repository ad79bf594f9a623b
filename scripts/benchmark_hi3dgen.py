# SPDX-License-Identifier: GPL-3.0-or-later
"""Times the hi3dgen engine's networks in full size, with and without their savings, in one run.

Every network is timed a step at a time with weights by rule (nothing is downloaded), ours and the baseline's in turn;
the fastest of each counts. Totals follow from how often each preset takes each step. Results are compared while they
are there: a saving that changed one would show.
"""

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import benchmark_baseline as baseline
import torch
from benchmark_stages import STAGES, Measurements, Row
from benchmark_timing import GIB, Bench, machine

from backend.models.presets import PRESETS

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def main(arguments: Sequence[str]) -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="benchmark.py hi3dgen", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--dtype", choices=DTYPES, help="default: float32 on a CPU, float16 elsewhere")
    parser.add_argument("--voxels", type=int, default=28_600, help="of the structure (default: 28600, a usual one)")
    parser.add_argument("--steps", type=int, default=1, help="how often each step is timed; the fastest counts")
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=list(STAGES))
    parser.add_argument("--blocks", type=int, help="time so many blocks of the flow models, and count them for all")
    parser.add_argument("--threads", type=int, help="of the CPU")
    parser.add_argument("--busy", action="store_true", help="count the processor's time: for a machine that is shared")
    parser.add_argument("--memory-limit", type=float, metavar="GB", help="of the GPU's memory to stay within")
    parser.add_argument("--against", type=Path, metavar="FOLDER", help="a checkout of the published code")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything measured there too")
    run(parser.parse_args(arguments))


def run(options: argparse.Namespace) -> Measurements:
    """Measures what the options ask for, prints it, and returns it."""
    device = torch.device(options.device)
    dtype = DTYPES[options.dtype or ("float32" if device.type == "cpu" else "float16")]
    if options.threads:
        torch.set_num_threads(options.threads)
    if options.memory_limit and device.type == "cuda":
        whole = torch.cuda.get_device_properties(device).total_memory
        torch.cuda.set_per_process_memory_fraction(min(1.0, options.memory_limit * GIB / whole), device)
    clock = time.process_time if options.busy else time.perf_counter
    bench = Bench(device, dtype, options.voxels, options.steps, clock, options.blocks)
    print(f"{machine(device)}; torch {torch.__version__}, {options.voxels} voxels, {dtype}")
    print(f"the baseline's marching cubes: {baseline.extractor()}; {'busy' if options.busy else 'wall'} seconds\n")
    print(f"{'stage':9} {'part':23} {'ours':>11} {'baseline':>11}")
    measurements = Measurements()
    for stage in options.stages:
        before = len(measurements.rows)
        try:
            with torch.inference_mode():
                STAGES[stage](bench, measurements)
        except torch.OutOfMemoryError:
            print(f"{stage}: out of memory")
        for row in measurements.rows[before:]:
            print_row(row)
    print_totals(measurements)
    if options.against:
        from benchmark_against import compare  # noqa: PLC0415  it changes the environment for the published code

        with torch.inference_mode():
            compare(options.against, bench)
    if options.json:
        facts: dict[str, object] = {
            "machine": machine(device),
            "torch": torch.__version__,
            "dtype": str(dtype),
            "voxels": options.voxels,
        }
        facts |= {"clock": "busy" if options.busy else "wall", "blocks": options.blocks}
        totals = {"baseline": measurements.total(None)} | {preset: measurements.total(preset) for preset in PRESETS}
        found = facts | {"marching cubes": baseline.extractor(), "totals": totals} | asdict(measurements)
        options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return measurements


def print_row(row: Row) -> None:
    """Prints one line of the table."""
    ratio = f"{row.baseline / row.ours:6.2f}x" if row.baseline and row.ours else " " * 7
    notes = [f"differs by {row.difference:.0e}"] if row.difference is not None else []
    notes += [f"{row.peak:.2f} GiB"] if row.peak is not None else []
    print(
        f"{row.stage:9} {row.part:23} {row.ours:9.3f} s {row.baseline:9.3f} s {ratio}  {', '.join(notes)}", flush=True
    )


def print_totals(measurements: Measurements) -> None:
    """Prints what a generation takes, and what each saving brings."""
    whole = measurements.total(None)
    if not whole:
        return
    print(f"\nOne generation, of {', '.join(dict.fromkeys(row.stage for row in measurements.rows))}:")
    print(f"  {'baseline':44} {whole:9.1f} s")
    for preset in reversed(list(PRESETS)):
        print(f"  {preset:44} {measurements.total(preset):9.1f} s  {whole / measurements.total(preset):5.2f}x")
    print("\nWhat the savings spare of the baseline's generation:")
    for saving in measurements.savings:
        print(f"  {saving.name:44} {saving.seconds:9.1f} s  {saving.seconds / whole:6.1%}")
