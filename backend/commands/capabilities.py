# SPDX-License-Identifier: GPL-3.0-or-later
"""`capabilities`: says what the engines can do, as the JSON with which a backend answers a greeting."""

import argparse
import json
from collections.abc import Mapping

from ..capabilities import capabilities_of
from ..flow.engine import Engine
from ..wire.records import fields_of


def run(_options: argparse.Namespace, engines: Mapping[str, Engine]) -> int:
    """Print the capabilities on one line."""
    document, _ = fields_of(capabilities_of(engines))
    print(json.dumps(document))
    return 0
