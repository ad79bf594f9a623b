# SPDX-License-Identifier: GPL-3.0-or-later
"""The first stage: what is to be made, in words. From a grammar, or from a list that rules go over."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import UserError
from ..wire.limits import MAX_SEED
from .vocabulary import ADJECTIVES, CATEGORIES, FRAMING, STYLES

_TRIES = 50  # draws of a prompt that is there already, in a row
_SHORTEST, _LONGEST = 2, 60  # words; text encoders cut off what is longer
_SCENES = {
    *("landscape", "skyline", "panorama", "city", "street", "village", "forest", "crowd", "battle", "interior", "room"),
    *("scenery", "seascape", "sunset", "sky", "mountains", "beach", "logo", "text", "wallpaper", "pattern", "collage"),
}
_SEVERAL = {"several", "many", "pair", "set", "group", "collection", "various", "assorted", "bunch", "pile"}


@dataclass(frozen=True)
class Prompt:
    """What an object is made of: words for a picture. category: of the grammar; empty for a list's."""

    text: str
    category: str = ""


def drawn(count: int, seed: int) -> list[Prompt]:
    """Draw different prompts from the grammar. More of the same seed begin with the same ones.

    Raises `UserError` if the words do not make so many.
    """
    random = np.random.default_rng([seed, 1])
    found: dict[str, Prompt] = {}
    while len(found) < count:
        for _ in range(_TRIES):
            prompt = _one(random)
            if prompt.text not in found:
                found[prompt.text] = prompt
                break
        else:
            sentence = f"The grammar makes no more than about {len(found)} different prompts."
            raise UserError("few-prompts", sentence, "Ask for fewer, or give a list of your own.")
    return [*found.values()]


def _one(random: np.random.Generator) -> Prompt:
    name = _choice(random, [*CATEGORIES])
    category = CATEGORIES[name]
    described = f"{_choice(random, ADJECTIVES)} {_choice(random, category.things)}"
    style = f" in {_choice(random, STYLES)} style" if random.random() < 0.5 else ""
    order = random.permutation(len(category.details))[: 1 + int(random.integers(2))]
    details = " and ".join(category.details[number] for number in order)
    text = f"{_article(described)} {described} of {_choice(random, category.materials)}{style} with {details}"
    return Prompt(f"{text}, {FRAMING}", name)


def listed(lines: Iterable[str]) -> tuple[list[Prompt], Counter[str]]:
    """The prompts of a list, a line each, and how many lines are left out for which reason.

    Empty lines, and those that begin with #, mean nothing. Left out are prompts of the same words as an earlier one
    ("repeated"), of fewer than 2 words ("short") or more than 60 ("long"), and those that name a scene or several
    things ("scene", "several"). What every prompt ends with is added.
    """
    found: dict[frozenset[str], Prompt] = {}
    dropped: Counter[str] = Counter()
    for line in lines:
        text = " ".join(line.split()).rstrip(".,; ")
        if not text or text.startswith("#"):
            continue
        words = re.findall(r"\w+", text.casefold())
        reason = _reason(words, found)
        if reason:
            dropped[reason] += 1
        else:
            found[frozenset(words)] = Prompt(f"{text}, {FRAMING}")
    return [*found.values()], dropped


def _reason(words: Sequence[str], found: Iterable[frozenset[str]]) -> str:
    if not _SHORTEST <= len(words) <= _LONGEST:
        return "short" if len(words) < _SHORTEST else "long"
    if not _SCENES.isdisjoint(words):
        return "scene"
    if not _SEVERAL.isdisjoint(words):
        return "several"
    return "repeated" if frozenset(words) in found else ""


def records(prompts: Sequence[Prompt], seed: int) -> list[dict[str, Any]]:
    """The lines of the stage's file: name, prompt, category, and the seed of the picture and of the mesh."""
    seeds = np.random.default_rng([seed, 2]).integers(MAX_SEED + 1, size=len(prompts))
    return [
        {"name": f"p{number:06}", "prompt": prompt.text, "category": prompt.category, "seed": int(own)}
        for number, (prompt, own) in enumerate(zip(prompts, seeds, strict=True))
    ]


def _choice(random: np.random.Generator, words: Sequence[str]) -> str:
    return words[int(random.integers(len(words)))]


def _article(words: str) -> str:
    return "an" if words[0] in "aeiou" else "a"
