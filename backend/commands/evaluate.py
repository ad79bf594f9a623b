# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate normals` and `evaluate geometry`: what engines make, against known truth."""

import argparse
from collections.abc import Mapping

from ..flow.engine import Engine
from . import evaluate_geometry, evaluate_normals


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    evaluate_normals.configure(kinds.add_parser("normals", help="measure estimated normals"), engines)
    evaluate_geometry.configure(kinds.add_parser("geometry", help="measure meshes"), engines)
