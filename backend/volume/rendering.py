# SPDX-License-Identifier: GPL-3.0-or-later
"""What a ray sees of a signed distance field, unbiased and aware of occlusion: NeuS.

It is Wang et al., "NeuS: Learning Neural Implicit Surfaces by Volume Rendering for Multi-view Reconstruction", 2021,
section 3.1.

The opacity of the section between two samples with the distances f and f' is, with the logistic function Φ_s(f) =
1 / (1 + exp(-s f)), equation 13: max((Φ_s(f) - Φ_s(f')) / Φ_s(f), 0). So what remains of the light behind a section is
min(Φ_s(f') / Φ_s(f), 1), and here it is added up as logarithms, which stays exact deep inside.
"""

from torch import Tensor
from torch.nn import functional


def transmittance(distances: Tensor, sharpness: float | Tensor) -> Tensor:
    """What of the light comes as far as each sample, in [0, 1], (R, N); 1 at the first.

    distances: float (R, N), of the samples along each ray, in order, positive outside. sharpness: s, in one over the
    unit of the distances, above 0.
    """
    logs = functional.logsigmoid(distances * sharpness)
    passed = (logs[:, 1:] - logs[:, :-1]).clamp_max(0)
    return functional.pad(passed.cumsum(dim=1), (1, 0)).exp()


def section_weights(light: Tensor) -> Tensor:
    """How much each section between two samples is seen, in [0, 1], (R, N - 1), from `transmittance` (R, N).

    It is the opacity by what of the light is left (equation 10); all sections of a ray together have its opacity.
    """
    return light[:, :-1] - light[:, 1:]
