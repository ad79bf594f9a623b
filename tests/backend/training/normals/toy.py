# SPDX-License-Identifier: GPL-3.0-or-later
"""A source of lit ellipsoids with waves on them: quick, and with normals known in closed form."""

import numpy as np

from backend.training.normals.samples import Samples

COUNT = 8


def ellipsoids(seed: int, index: int, size: int) -> Samples:
    """Make `COUNT` pictures, a pure function of the arguments."""
    random = np.random.default_rng((seed, index, size))
    rgba = np.zeros((COUNT, size, size, 4), np.uint8)
    normals = np.zeros((COUNT, size, size, 3), np.float32)
    y, x = (np.mgrid[:size, :size] + 0.5 - size / 2) / (size / 2)
    for picture, normal in zip(rgba, normals, strict=True):
        a, b = random.uniform(0.4, 0.8, 2)
        inside = 1 - (x / a) ** 2 - (y / b) ** 2
        wave = 0.3 * np.sin(random.uniform(5, 20) * x)
        slope = np.stack([x / a**2 + wave, -y / b**2, np.sqrt(np.maximum(inside, 1e-3))], axis=-1)
        normal[:] = slope / np.linalg.norm(slope, axis=-1, keepdims=True)
        light = random.normal(size=3) + np.array([0, 0, 2])
        shade = np.clip(normal @ (light / np.linalg.norm(light)), 0, 1)[..., None] * random.uniform(0.4, 1, 3)
        picture[..., :3] = 20 + 220 * shade
        picture[..., 3] = 255 * (inside > 0)
    return Samples(rgba, normals, rgba[..., 3] > 0)
