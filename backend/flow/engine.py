# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine: stages in order, the settings that they use, and the products that it gives."""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from ..errors import UserError
from .settings import Preset, Setting, Settings, checked
from .stage import Stage

log = logging.getLogger(__name__)
_ALL_OFF: Settings = MappingProxyType({})

SET_UP = (
    "Set it up in the extension's preferences, or by `python -m backend install` and then "
    "`python -m backend weights download`, followed by the names of the weights if some are named."
)
"""What to do about an engine that is missing, if it does not say something else."""
PICTURE = "picture"
"""The input that every request brings."""
MESH = "mesh"
"""The input, a `Mesh`, of engines that put a picture onto one; they make none of their own."""
CAMERA = "camera"
"""The input, a `Camera`, by which a picture sees the mesh."""
VIEWS = "views"
"""The input, `Views`, of engines that put those onto the mesh, too, or that make a mesh of them."""
NORMAL_VIEWS = "normal_views"
"""The input, `Views`, of engines that make a mesh of views: their normal maps."""


@dataclass(frozen=True)
class Engine:
    """A way from a picture to its products.

    stages: in the order in which they run. gives: the products that a request leads to, by name, with their types; the
    last one is what the engine is for. inputs: the names of what a request may bring; `PICTURE` always, and `MESH` if
    it is among them. on_request: the products that a request leads to only if it names them.

    missing: returns a sentence that says why the engine cannot run here, or an empty string. seconds: guesses, from a
    stage's name, all settings and the names of what the request brings, how long it will take here for one seed; None
    if it cannot tell. place: says in words on what it would compute. unload: gives back the memory, on whatever device,
    that the engine holds between jobs. versions: what besides this program decides what a seed means, such as the
    revisions of weights, by name; see `versions_used`. presets: values of its settings by name, for people to choose
    from. set_up: a sentence on what to do if it is missing. terms: sentences on who may use it, and for what, which
    people see before they use it, and terms_url: where its licence is; both may be empty. external: whether it is a
    program that the user has described, see docs/external_engines.md.

    Raises ValueError if a stage takes what no input and no earlier stage makes, or uses a setting that is not there; if
    two stages share a name; and if no stage makes what the engine gives. Raises `UserError` if a preset does not fit.
    """

    name: str
    label: str
    description: str
    needs_gpu: bool
    missing: Callable[[], str]
    settings: tuple[Setting, ...]
    stages: tuple[Stage, ...]
    gives: Mapping[str, type]
    inputs: tuple[str, ...] = (PICTURE,)
    on_request: Mapping[str, type] = field(default_factory=dict[str, type])
    seconds: Callable[[str, Settings, Collection[str]], float | None] = lambda _stage, _settings, _inputs: None
    place: Callable[[], str] = lambda: "on the processor"
    unload: Callable[[], None] = lambda: None
    versions: Callable[[], Mapping[str, str]] = field(default=dict[str, str])
    presets: tuple[Preset, ...] = ()
    set_up: str = SET_UP
    terms: str = ""
    terms_url: str = ""
    external: bool = False

    def __post_init__(self) -> None:
        names = [stage.name for stage in self.stages]
        if len({*names, *self.inputs}) < len(names) + len(self.inputs):
            raise ValueError(f"{self.name}: two stages or inputs have one name")
        known, usable = {*self.inputs}, {"seed", *(setting.name for setting in self.settings)}
        for stage in self.stages:
            taken = (*stage.takes, *stage.also)
            lacking = [name for name in taken if name not in known] + [n for n in stage.settings if n not in usable]
            if lacking:
                raise ValueError(f"{self.name}: nothing gives {', '.join(lacking)} to the stage {stage.name}")
            known.add(stage.makes)
        if not self.gives or not {*self.offers} <= {stage.makes for stage in self.stages}:
            raise ValueError(f"{self.name}: no stage makes what the engine gives")
        for preset in self.presets:
            checked(self.label, self.settings, preset.settings)

    @property
    def offers(self) -> dict[str, type]:
        """All products that a request may name, with their types, in the engine's order."""
        return {**self.on_request, **self.gives}

    @property
    def is_tool(self) -> bool:
        """Whether it works on a mesh or on views that the request brings, not on pictures alone."""
        return MESH in self.inputs or VIEWS in self.inputs

    @property
    def uses_seed(self) -> bool:
        """Whether another seed leads to other products."""
        return any("seed" in stage.uses for stage in self.stages)

    def stages_for(self, inputs: Collection[str], settings: Settings = _ALL_OFF) -> tuple[Stage, ...]:
        """The stages for a request that brings `inputs`; a switch that `settings` has not is off.

        Raises `UserError` (bad-input) for an input that the engine does not take, and if one that it needs is missing.
        """
        check_inputs(self.label, self.inputs, inputs)
        return tuple(stage for stage in self.stages if stage.runs_for(inputs, settings))

    def chosen(self, names: Collection[str] | None) -> list[str]:
        """The products of these names, in the engine's order; all that it gives if None.

        Raises `UserError` (bad-product) for a product that the engine does not give.
        """
        for name in names or ():
            if name not in self.offers:
                advice = f"Its products are: {', '.join(self.offers)}."
                raise UserError("bad-product", f"{self.label} does not give “{name:.60}”.", advice)
        return [*self.gives] if names is None else [name for name in self.offers if name in names]

    def seeded(self, inputs: Collection[str]) -> set[str]:
        """The names of the products that another seed changes, for a request that brings `inputs`."""
        names: set[str] = set()
        for stage in self.stages_for(inputs):
            if "seed" in stage.uses or not names.isdisjoint((*stage.takes, *stage.also)):
                names.add(stage.makes)
            else:
                names.discard(stage.makes)
        return names


def check_inputs(owner: str, known: Collection[str], names: Collection[str]) -> None:
    """Refuse inputs that the engine with the label `owner` does not take, and a request without picture or mesh.

    Raises `UserError` (bad-input).
    """
    for name in names:
        if name not in known:
            advice = f"The inputs of this engine are: {', '.join(known)}."
            raise UserError("bad-input", f"{owner} does not take the input “{name:.60}”.", advice)
    if PICTURE not in names:
        raise UserError("bad-input", "The request brings no picture.", "Give one.")
    if MESH in known and MESH not in names:
        raise UserError("bad-input", "The request brings no mesh.", "Give one.")


def why_missing(engine: Engine) -> str:
    """Why the engine cannot run here, as a sentence; empty if it can. Never raises."""
    try:
        return engine.missing()
    except UserError as error:
        return f"{error.sentence} {error.advice}"
    except Exception:
        log.exception("the engine %s cannot be asked what it lacks", engine.name)
        return "Whether it can run here could not be found out. The log says more."
