# SPDX-License-Identifier: GPL-3.0-or-later
"""An object becomes an asset, which says how it was made."""

from collections.abc import Mapping
from typing import Any

import bpy

from .landing import recipe_of

TAG = "Hi3DGen"


def mark(thing: bpy.types.Object, author: str = "", licence: str = "") -> None:
    """Make a generated object an asset, with a preview, which Blender draws when it has time.

    What is empty leaves what the asset says already.
    """
    thing.asset_mark()
    asset = thing.asset_data
    asset.author = author or asset.author
    asset.license = licence or asset.license
    asset.description = asset.description or described(recipe_of(thing) or {})
    asset.tags.new(TAG, skip_if_exists=True)
    thing.asset_generate_preview()


def described(recipe: Mapping[str, Any]) -> str:
    """A recipe as a sentence: from which picture, by which engine, with which seed and settings."""
    made = f"Made from “{recipe.get('picture', '')}” by {recipe.get('engine', '')}, seed {recipe.get('seed', '')}"
    return made + "".join(f", {name} {value}" for name, value in sorted(recipe.get("settings", {}).items()))
