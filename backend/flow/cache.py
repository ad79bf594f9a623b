# SPDX-License-Identifier: GPL-3.0-or-later
"""A store of stage results that forgets the longest unused when it is full."""

import dataclasses
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np


class ResultCache:
    """Results by key, at most `capacity` bytes of arrays in all. `nbytes` is what they take now."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.nbytes = 0  # a plain number, because other threads ask for it
        self._results: OrderedDict[str, Any] = OrderedDict()

    def get(self, key: str) -> Any | None:  # noqa: ANN401 - whatever a stage returned
        """The result kept under `key`, or None."""
        if key in self._results:
            self._results.move_to_end(key)
        return self._results.get(key)

    def put(self, key: str, result: object) -> None:
        """Keep `result`; others make room for it. One that is larger than the whole cache is not kept."""
        size = array_bytes(result)
        if size > self.capacity:
            return
        self.nbytes += size - array_bytes(self._results.pop(key, None))
        self._results[key] = result
        while self.nbytes > self.capacity:
            _, oldest = self._results.popitem(last=False)
            self.nbytes -= array_bytes(oldest)

    def clear(self) -> None:
        """Forget everything."""
        self._results.clear()
        self.nbytes = 0


def array_bytes(result: object) -> int:
    """The memory of all arrays in a result, in bytes: an array, or what holds some, dataclasses and collections."""
    if isinstance(result, np.ndarray):
        return result.nbytes
    if isinstance(result, Mapping):
        return sum(map(array_bytes, result.values()))
    if isinstance(result, list | tuple):
        return sum(map(array_bytes, result))
    if dataclasses.is_dataclass(result):
        return sum(array_bytes(getattr(result, item.name)) for item in dataclasses.fields(result))
    return 0
