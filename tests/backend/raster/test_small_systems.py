# SPDX-License-Identifier: GPL-3.0-or-later
"""Small systems are solved, and what is fitted with them is the same with any number of BLAS's threads."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.raster.small_systems import least_vector, products, solved

ROOT = Path(__file__).resolve().parents[3]

# Prints the hash of a light and of a camera that are fitted to noise.
HASH_OF_FITS = """
import hashlib
import numpy as np
from backend.mesh.eye import find_eye
from backend.raster.vectors import unit
from backend.texture.light import fit

rng = np.random.default_rng(0)
colours = rng.random((160, 160, 3)).astype(np.float32)
normals = unit(rng.normal(size=(160, 160, 3)).astype(np.float32))
light = fit(colours, normals, np.ones((160, 160), bool))
points = rng.random((9000, 3)).astype(np.float32)
eye = find_eye(points, (points[:, [0, 2]] / (3 + points[:, [1]])).astype(np.float32))
print(hashlib.sha256(light.tobytes() + eye.projection.tobytes()).hexdigest())
"""


@given(st.integers(1, 15), st.integers(1, 3), st.integers(0, 1000))
def test_a_regular_system_is_solved(unknowns: int, sides: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    matrix = rng.normal(size=(unknowns, unknowns)) + 4 * unknowns * rng.permutation(np.eye(unknowns))
    wanted = rng.normal(size=(unknowns, sides))
    np.testing.assert_allclose(solved(matrix, matrix @ wanted), wanted, atol=1e-9)


def test_a_singular_system_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        solved(np.array([[1.0, 2.0], [2.0, 4.0]]), np.ones((2, 1)))


@given(st.integers(2, 12), st.integers(0, 1000))
def test_the_least_eigenvector_is_found(unknowns: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    turn = np.linalg.qr(rng.normal(size=(unknowns, unknowns)))[0]
    matrix = turn * np.append(rng.uniform(0, 0.1), rng.uniform(0.2, 5, unknowns - 1)) @ turn.T
    assert abs(least_vector(matrix) @ turn[:, 0]) > 1 - 1e-9


def test_products_of_many_rows_are_their_sum() -> None:
    rng = np.random.default_rng(0)
    rows, others = rng.normal(size=(30_001, 15)), rng.normal(size=(30_001, 3))
    np.testing.assert_allclose(products(rows, others), rows.T @ others, rtol=1e-9, atol=1e-9)


def test_fits_are_the_same_to_the_bit_in_processes_of_one_and_of_two_threads() -> None:
    hashes = set[str]()
    for threads in ("1", "2"):
        limits = {"OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads, "MKL_NUM_THREADS": threads}
        command = [sys.executable, "-c", HASH_OF_FITS]
        printed = subprocess.run(command, cwd=ROOT, env=os.environ | limits, check=True, capture_output=True, text=True)
        hashes.add(printed.stdout)
    assert len(hashes) == 1
