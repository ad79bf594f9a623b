# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects a person would keep: logistic regression, and what labels and rules come to together."""

import numpy as np
import pytest

from backend.detailverse.classifier import fitted, left_out_accuracy
from backend.detailverse.quality import judged, learned
from backend.errors import UserError

MEASURES = {
    "closed": True,
    "wound": True,
    "largest": 1.0,
    "thin": 0.5,
    "empty": 0.0,
    "volume": 0.3,
    "coverage": 0.4,
    "entropy": 8.0,
    "dihedral": [0] * 90 + [999] + [0] * 89,
}


def test_the_weights_are_where_the_penalised_loss_is_least() -> None:
    """The gradient of the sum of losses and of 0.05 times the squared weights vanishes there."""
    random = np.random.default_rng(1)
    rows = random.normal(size=(60, 5)) * 3 + 7
    labels = rows[:, 0] + random.normal(size=60) > 7
    found = fitted(rows, labels)
    scaled = (rows - rows.mean(0)) / rows.std(0) / np.sqrt(5)
    residual = found.probabilities(rows) - labels
    assert np.abs(scaled.T @ residual + 0.1 * found.weights).max() < 1e-6
    assert abs(residual.sum()) < 1e-6
    assert found.weights[0] > np.abs(found.weights[1:]).max()


@pytest.mark.parametrize("columns", [20, 300])
def test_what_can_be_told_is_told_without_having_been_seen_and_noise_is_not(columns: int) -> None:
    random = np.random.default_rng(2)
    labels = random.random(200) < 0.6
    rows = random.normal(size=(200, columns))
    assert abs(left_out_accuracy(rows, labels) - 0.5) < 0.15, "there is nothing to learn"
    rows[:, :10] += np.where(labels, 1.5, -1.5)[:, None]
    assert left_out_accuracy(rows, labels) > 0.85
    rows[:, 3] = 5.0  # a column without any difference
    assert np.isfinite(fitted(rows, labels).weights).all()


def test_labels_that_a_plane_divides_do_not_run_away() -> None:
    rows = np.repeat([[0.0], [1.0]], 20, axis=0)
    found = fitted(rows, rows[:, 0] > 0.5)
    assert found.probabilities(np.array([[0.0], [0.5], [1.0]])).round(3)[1] == 0.5
    assert np.abs(found.weights).max() < 100


def test_too_few_labels_of_a_kind_are_a_sentence() -> None:
    with pytest.raises(UserError, match="9 labels that keep an object and 40 that drop one"):
        fitted(np.zeros((49, 2)), np.arange(49) < 9)


def test_the_rules_decide_then_a_label_and_then_the_score() -> None:
    random = np.random.default_rng(3)
    names = [f"o{number}" for number in range(60)]
    good = {name: number % 2 == 0 for number, name in enumerate(names)}
    rows = {name: np.float32(random.normal(size=4) + (3 if good[name] else -3)) for name in names}
    labels = {name: good[name] for name in names[:40]} | {"gone": True}
    found = learned(rows, labels)
    assert (found.labels, found.kept, found.accuracy) == (40, 20, 1.0)
    measures = dict.fromkeys(names, MEASURES) | {"o40": {**MEASURES, "closed": False}}
    labels |= {"o40": True, "o41": True, "o46": False}
    lines = {line["name"]: line for line in judged(measures, labels, found)}
    assert lines["o44"] == {"name": "o44", "kept": True, "reasons": [], "label": None, "score": lines["o44"]["score"]}
    assert lines["o44"]["score"] > 0.9
    assert lines["o43"]["kept"] is False
    assert lines["o43"]["reasons"] == ["score"]
    assert lines["o40"]["reasons"] == ["open"], "a picture does not show it"
    assert lines["o41"]["kept"] is True, "a person has said so"
    assert lines["o46"]["reasons"] == ["label"]
    assert all(line["score"] is None for line in judged(measures, labels, None))
