# SPDX-License-Identifier: GPL-3.0-or-later
"""A stage: one step of an engine, described by what it makes and what that depends on."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

_ALL_OFF: Mapping[str, object] = MappingProxyType({})


@dataclass(frozen=True)
class Stage:
    """One step of an engine.

    name: unique in its engine. label: what it is doing, for people: "Cutting out". makes: the name of its product; if
    an earlier stage has made a product of that name, the new one takes its place. takes: the names of the inputs and
    products that it needs, each as the stages before it have left it. uses: the names of the settings that it depends
    on, "seed" among them.

    run: called with what `takes` names by position, then with what `uses` names and with `report` (see `Report`) by
    keyword. It returns the product, or `Noted(product, notes)`. run_many: if there is one, it does several seeds in one
    go. It is called as `run` is, but with `seeds`, a list, in place of `seed`, and with a list, an entry a seed, for
    each of `takes` and `also`; it returns a list.

    also: the names of inputs and products that it takes by keyword, if the request leads to them.

    when, unless: the name of an input. The stage is left out if the request does not bring `when`, and if it brings
    `unless`. when_any: names of inputs; it is left out, too, if the request brings none of them. switch: the name of a
    setting; the stage is left out unless that is on.

    beside: it may run while stages before it in the order do, as soon as what it takes is there.
    """

    name: str
    label: str
    makes: str
    takes: tuple[str, ...]
    uses: tuple[str, ...]
    run: Callable[..., Any]
    run_many: Callable[..., list[Any]] | None = None
    when: str = ""
    unless: str = ""
    also: tuple[str, ...] = ()
    when_any: tuple[str, ...] = ()
    switch: str = ""
    beside: bool = False

    @property
    def settings(self) -> frozenset[str]:
        """The names of all settings that it looks at, "seed" among them if it depends on that."""
        return frozenset({*self.uses, *([self.switch] if self.switch else [])})

    def runs_for(self, inputs: Collection[str], settings: Mapping[str, object] = _ALL_OFF) -> bool:
        """Whether it is part of the way of a request that brings `inputs`. A switch that `settings` has not is off."""
        if self.switch and not settings.get(self.switch):
            return False
        if self.when_any and not any(name in inputs for name in self.when_any):
            return False
        return (not self.when or self.when in inputs) and (not self.unless or self.unless not in inputs)


def of_each(
    name: str,
    label: str,
    makes: str,
    takes: tuple[str, ...],
    uses: tuple[str, ...],
    run_many: Callable[..., list[Any]],
    also: tuple[str, ...] = (),
) -> Stage:
    """A stage that does several seeds at once, and one as a list of one."""

    def run(*taken: Any, **used: Any) -> Any:  # noqa: ANN401
        if "seed" in used:
            used["seeds"] = [used.pop("seed")]
        listed = {name: [result] if name in also else result for name, result in used.items()}
        return run_many(*([result] for result in taken), **listed)[0]

    return Stage(name, label, makes, takes, uses, run, run_many, also=also)
