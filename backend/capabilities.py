# SPDX-License-Identifier: GPL-3.0-or-later
"""What clients learn of the engines: their settings, inputs and products, and whether they can run."""

import logging
from collections.abc import Mapping

from .adapters import kinds_of
from .flow.engine import Engine, why_missing
from .flow.settings import Setting
from .version import VERSION
from .wire.messages import Capabilities, EngineInfo, OptionInfo, PresetInfo, SettingInfo

log = logging.getLogger(__name__)


def capabilities_of(engines: Mapping[str, Engine]) -> Capabilities:
    """What a backend with these engines can do. Never raises: an engine that cannot be described is left out."""
    described: dict[bool, list[EngineInfo]] = {False: [], True: []}
    for engine in engines.values():
        try:
            described[engine.is_tool].append(_described(engine))
        except Exception:
            log.exception("the engine %s cannot be described", engine.name)
    return Capabilities(VERSION, tuple(described[False]), tuple(described[True]))


def _described(engine: Engine) -> EngineInfo:
    return EngineInfo(
        engine.name,
        engine.label,
        engine.description,
        uses_seed=engine.uses_seed,
        needs_gpu=engine.needs_gpu,
        missing=why_missing(engine),
        inputs=engine.inputs,
        products=kinds_of(engine.gives),
        on_request=kinds_of(engine.on_request),
        versions=_versions(engine),
        settings=tuple(map(_setting, engine.settings)),
        presets=tuple(PresetInfo(each.name, each.label, each.description, each.settings) for each in engine.presets),
        terms=engine.terms,
        terms_url=engine.terms_url,
        external=engine.external,
    )


def _versions(engine: Engine) -> Mapping[str, str]:
    try:
        return dict(engine.versions())
    except Exception:
        log.exception("the engine %s cannot be asked for its versions", engine.name)
        return {}


def _setting(setting: Setting) -> SettingInfo:
    return SettingInfo(
        setting.name,
        setting.label,
        setting.description,
        setting.default,
        setting.minimum,
        setting.maximum,
        options=tuple(
            OptionInfo(option.name, option.label, option.description, option.formerly) for option in setting.options
        ),
        advanced=setting.advanced,
    )
