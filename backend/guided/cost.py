# SPDX-License-Identifier: GPL-3.0-or-later
"""How many operations views take, for an estimate of the time on slow devices; counted for pictures of 512 pixels."""

from .complete import Settings
from .recipe import Recipe
from .refine import FIXED, Refinement

_TERA = 1e12
EVALUATION = 0.804 * _TERA
"""Floating-point operations of the UNet for one latent of 64 x 64, attention included."""
ENCODING = 1.117 * _TERA
DECODING = 2.515 * _TERA


def of_reference(recipe: Recipe) -> float:
    """Operations that are done once, whatever the number of views: reading the picture."""
    return ENCODING + 2 * recipe.reference_inverted * EVALUATION


def of_view(recipe: Recipe, *, guided: bool = True) -> float:
    """Operations of one view; guided: by a text, which takes two evaluations a step back."""
    return ENCODING + evaluations(recipe, guided=guided) * EVALUATION + DECODING


def of_views(settings: Settings) -> float:
    """Operations of all views, if as many are drawn as may be."""
    return of_reference(settings.recipe) + settings.views * of_view(settings.recipe)


def of_refinement(settings: Refinement) -> float:
    """Operations of a refinement: it decodes no view, and each iteration encodes one and goes back through that."""
    views = FIXED + -(-settings.iterations // settings.fresh)
    return (
        of_reference(settings.recipe)
        + views * (of_view(settings.recipe) - DECODING)
        + settings.iterations * 2 * ENCODING
    )


def evaluations(recipe: Recipe, *, guided: bool = True) -> int:
    """How often the UNet is computed for one view."""
    return recipe.inverted + (2 if guided else 1) * (recipe.steps - recipe.first)
