# SPDX-License-Identifier: GPL-3.0-or-later
"""The noise of a fixture by the rule "views-1", in the order in which the published program drew it."""

from typing import TYPE_CHECKING, Any

from tests.parity.golden import Fixture

if TYPE_CHECKING:
    from torch import Tensor


class Draws:
    """Gives the fixture's noise, one tensor a call. Its JSON lists the shapes and names a key that ends in N."""

    def __init__(self, fixture: Fixture) -> None:
        stated = fixture.facts["draws"]
        self._key = stated["key"].split(",")[0].removesuffix("N")
        self._shapes: list[Any] = stated.get("shapes") or [one["shape"] for one in stated["list"]]
        self._taken = 0

    def __call__(self, shape: tuple[int, ...]) -> "Tensor":
        """The next noise, which has to have the shape."""
        from weights_by_rule import views_input_by_rule

        assert tuple(self._shapes[self._taken]) == shape
        self._taken += 1
        return views_input_by_rule(f"{self._key}{self._taken - 1}", shape)

    @property
    def left(self) -> int:
        """How many were not taken yet."""
        return len(self._shapes) - self._taken
