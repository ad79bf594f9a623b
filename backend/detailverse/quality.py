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

    An object is kept if no rule speaks against it and its label does not ("label"), or, without a label, a score of at
    least `LEAST_SCORE` ("score"). A label does not overrule the rules: they know what pictures do not show.
    """
    lines: list[dict[str, Any]] = []
    for name, measured in measures.items():
        score = found.scores[name] if found else None
        label = labels.get(name)
        why = reasons(measured)
        if label is False:
            why.append("label")
        elif label is None and score is not None and score < LEAST_SCORE:
            why.append("score")
        rounded = None if score is None else round(score, 4)
        lines.append({"name": name, "kept": not why, "reasons": why, "label": label, "score": rounded})
    return lines
