# SPDX-License-Identifier: GPL-3.0-or-later
"""What an engine is: stages in order, each with what its result depends on, and settings with what they may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import UserError
from ..wire.messages import EngineInfo, Scalar, Setting


@dataclass(frozen=True)
class Stage:
    """One stage of an engine, described by what it depends on.

    Its result is called `name`. `run` gets the results that `takes` names by position, then the settings that
    `uses` names ("seed" among them) and `report` by keyword. `label` says what it is doing: "Cutting out".

    `run_many`, where there is one, does several seeds in one go. It is called as `run` is, but for `seeds`, a list, in
    place of `seed`, and with a list, an entry a seed, for each of `takes`; it returns a list of results.
    """

    name: str
    label: str
    takes: tuple[str, ...]
    uses: tuple[str, ...]
    run: Callable[..., Any]
    run_many: Callable[..., list[Any]] | None = None


@dataclass(frozen=True)
class Engine:
    """An engine. Its stages make, among others, `foreground`, `normals`, `geometry` and `finish`, in this order.

    `missing` returns a sentence that says why the engine cannot run here, or an empty string. `seconds` guesses, from a
    stage's name and all settings, how long it will take here for one seed; None where it cannot tell. `place` says in
    words on what it would compute. `unload` gives back the memory, on whatever device, that the engine holds between
    jobs.
    """

    name: str
    label: str
    description: str
    needs_gpu: bool
    missing: Callable[[], str]
    settings: tuple[Setting, ...]
    stages: tuple[Stage, ...]
    seconds: Callable[[str, Mapping[str, Scalar]], float | None] = lambda _stage, _settings: None
    place: Callable[[], str] = lambda: "on the processor"
    unload: Callable[[], None] = lambda: None

    @property
    def info(self) -> EngineInfo:
        """What clients are told of it."""
        uses_seed = any("seed" in stage.uses for stage in self.stages)
        return EngineInfo(
            self.name, self.label, self.description, uses_seed, self.needs_gpu, self.missing(), self.settings
        )

    def checked(self, settings: Mapping[str, Scalar]) -> dict[str, Scalar]:
        """Every setting of this engine, defaults filled in. Raises `UserError` for a foreign name or a bad value."""
        known = {setting.name: setting for setting in self.settings}
        for name in settings:
            if name not in known:
                listed = ", ".join(known) or "none"
                advice = f"The settings of this engine are: {listed}."
                raise UserError("bad-setting", f"{self.label} has no setting “{name:.60}”.", advice)
        return {name: _checked(setting, settings.get(name, setting.default)) for name, setting in known.items()}


def _checked(setting: Setting, value: Scalar) -> Scalar:
    if isinstance(setting.default, bool):
        return _required(setting, value, isinstance(value, bool), "Choose true or false.")
    if isinstance(setting.default, str):
        names = [choice.name for choice in setting.choices]
        return _required(setting, value, value in names, f"Choose one of: {', '.join(names)}.")
    whole = isinstance(setting.default, int)
    number = "a whole number" if whole else "a number"
    advice = f"Choose {number} from {setting.minimum} to {setting.maximum}."
    if isinstance(value, bool | str):
        return _required(setting, value, False, advice)  # noqa: FBT003
    fits = setting.minimum <= value <= setting.maximum and (not whole or value == int(value))
    checked = _required(setting, value, fits, advice)
    return int(checked) if whole else float(checked)


def _required(setting: Setting, value: Scalar, fits: bool, advice: str) -> Scalar:  # noqa: FBT001
    if not fits:
        raise UserError("bad-setting", f"{setting.label} cannot be {value!s:.60}.", advice)
    return value
