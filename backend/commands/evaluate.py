# SPDX-License-Identifier: GPL-3.0-or-later
"""`evaluate normals`, `geometry`, `cutouts`, `views` and `shapes`: what the product makes, against known truth."""

import argparse
from collections.abc import Mapping

from ..flow.engine import Engine
from . import evaluate_cutouts, evaluate_geometry, evaluate_normals, evaluate_shapes, evaluate_views


def configure(parser: argparse.ArgumentParser, engines: Mapping[str, Engine]) -> None:
    """Give the command its arguments."""
    kinds = parser.add_subparsers(required=True, metavar="WHAT")
    evaluate_normals.configure(kinds.add_parser("normals", help="measure estimated normals"), engines)
    evaluate_geometry.configure(kinds.add_parser("geometry", help="measure meshes"), engines)
    evaluate_cutouts.configure(kinds.add_parser("cutouts", help="measure cut-outs"))
    evaluate_views.configure(kinds.add_parser("views", help="measure views, and meshes as cameras see them"), engines)
    evaluate_shapes.configure(kinds.add_parser("shapes", help="measure a small NoRLD on made-up shapes"), engines)
