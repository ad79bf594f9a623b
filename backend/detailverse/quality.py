# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects are kept: by rules, and, if a person has labelled some, by what these labels teach."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..arrays import Float32Array
from .classifier import fitted, left_out_accuracy
from .rules import reasons

LEAST_SCORE = 0.5
DISLIKED = "score"
"""The reason of an object whose score is lower than `LEAST_SCORE`."""


@dataclass(frozen=True)
class Learned:
    """What the labels teach.

    scores: how likely a person would keep each object, by name. labels, kept: how many labels there are, and how many
    of them keep. accuracy: the share of labels that are guessed right without having been seen.
    """

    scores: Mapping[str, float]
    labels: int
    kept: int
    accuracy: float


def learned(rows: Mapping[str, Float32Array], labels: Mapping[str, bool]) -> Learned:
    """Learn from labels, and score all objects by their pooled tokens `rows`, float32 (2 C,) each.

    Labels of objects without a row do not count. Raises `UserError` if there are too few.
    """
    labelled = [name for name in rows if name in labels]
    whole = np.stack([*rows.values()]).astype(np.float64)
    number = {name: place for place, name in enumerate(rows)}
    seen = whole[[number[name] for name in labelled]]
    kept = np.array([labels[name] for name in labelled], np.bool_)
    scores = fitted(seen, kept).probabilities(whole)
    accuracy = left_out_accuracy(seen, kept)
    return Learned(dict(zip(rows, scores.tolist(), strict=True)), len(kept), int(kept.sum()), accuracy)


def judged(
    measures: Mapping[str, Mapping[str, Any]], labels: Mapping[str, bool], found: Learned | None
) -> list[dict[str, Any]]:
    """A line an object: name, kept, reasons, label and score, None for what there is none of.

    A label decides; without one the rules do, and then the score.
    """
    lines: list[dict[str, Any]] = []
    for name, measured in measures.items():
        score = found.scores[name] if found else None
        why = reasons(measured)
        if score is not None and score < LEAST_SCORE:
            why.append(DISLIKED)
        kept = labels.get(name, not why)
        rounded = None if score is None else round(score, 4)
        lines.append({"name": name, "kept": kept, "reasons": why, "label": labels.get(name), "score": rounded})
    return lines
