# SPDX-License-Identifier: GPL-3.0-or-later
"""Logistic regression: which objects a person would keep, by a row of numbers for each.

Rows are brought to mean 0 and deviation 1 by column, and divided by the root of their length, so that the penalty means
the same for rows of any length. With fewer rows than columns the best weights lie in the span of the rows: Newton's
method (Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, section 4.4.1) works there, in as many
unknowns as there are rows.
"""

from dataclasses import dataclass

import numpy as np

from ..arrays import BoolArray, Float64Array
from ..errors import UserError

LEAST = 10
"""Labels of each kind that are needed."""
FOLDS = 10
_PENALTY = 0.1  # half of it times the squared weights is added to the sum of the rows' losses
_STEPS = 50
_SAME = 1e-9


@dataclass(frozen=True)
class Classifier:
    """middle, scale: float64 (D,), of the columns. weights: float64 (D,), of the scaled rows. bias: added to all."""

    middle: Float64Array
    scale: Float64Array
    weights: Float64Array
    bias: float

    def probabilities(self, rows: Float64Array) -> Float64Array:
        """How likely each of rows, (N, D), is to be kept, float64 (N,) in [0, 1]."""
        return _logistic((rows - self.middle) * self.scale @ self.weights + self.bias)


def fitted(rows: Float64Array, labels: BoolArray) -> Classifier:
    """Fit rows (N, D) and their labels (N,). Raises `UserError` with fewer than `LEAST` labels of a kind."""
    require_both(labels)
    return _fitted(rows, labels)


def left_out_accuracy(rows: Float64Array, labels: BoolArray) -> float:
    """The share of labels that are guessed right by a classifier that has not seen them: by `FOLDS` parts in turn.

    Each part has the same share of both kinds. Raises `UserError` as `fitted` does.
    """
    require_both(labels)
    part = np.empty(len(labels), np.int64)
    random = np.random.default_rng(0)
    for kind in (False, True):
        of_kind = random.permutation(np.flatnonzero(labels == kind))
        part[of_kind] = np.arange(len(of_kind)) % FOLDS
    right = 0
    for number in range(FOLDS):
        away = part == number
        guessed = _fitted(rows[~away], labels[~away]).probabilities(rows[away]) >= 0.5
        right += int((guessed == labels[away]).sum())
    return right / len(labels)


def _fitted(rows: Float64Array, labels: BoolArray) -> Classifier:
    middle = rows.mean(axis=0)
    scale = 1 / (np.maximum(rows.std(axis=0), _SAME) * np.sqrt(rows.shape[1]))
    span, sizes, axes = np.linalg.svd((rows - middle) * scale, full_matrices=False)
    inner = np.concatenate([span * sizes, np.ones((len(rows), 1))], axis=1)  # the last column is the bias
    penalty = np.append(np.full(len(sizes), _PENALTY), 0.0)
    solution = np.zeros(inner.shape[1])
    for _ in range(_STEPS):
        guessed = _logistic(inner @ solution)
        gradient = inner.T @ (guessed - labels) + penalty * solution
        curvature = (inner * (guessed * (1 - guessed))[:, None]).T @ inner + np.diag(penalty + _SAME)
        step = np.linalg.solve(curvature, gradient)
        solution -= step / max(1.0, float(np.abs(step).max()) / 10)  # a plain step may run away at first
        if np.abs(step).max() < _SAME:
            break
    return Classifier(middle, scale, axes.T @ solution[:-1], float(solution[-1]))


def _logistic(values: Float64Array) -> Float64Array:
    return 0.5 * (1 + np.tanh(values / 2))


def require_both(labels: BoolArray) -> None:
    """Raise `UserError` unless enough labels, bool (N,), keep an object and enough drop one."""
    kept = int(labels.sum())
    if min(kept, len(labels) - kept) < LEAST:
        sentence = f"There are {kept} labels that keep an object and {len(labels) - kept} that drop one."
        raise UserError("few-labels", sentence, f"Give at least {LEAST} of each kind: run detailverse label.")
