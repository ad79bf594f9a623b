# SPDX-License-Identifier: GPL-3.0-or-later
"""What the documents point to is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted(path for folder in (ROOT, ROOT / "docs") for path in folder.glob("*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not broken


def test_every_failure_code_of_the_wire_is_one_that_a_request_can_get() -> None:
    text = (ROOT / "docs" / "wire.md").read_text(encoding="utf-8").partition("### Failure codes")[2]
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", text))
    on_the_way = [path for path in (ROOT / "backend").rglob("*.py") if path.stem not in ("files", "__main__")]
    known = {code for path in on_the_way for code in re.findall(r'"([a-z-]+)"', path.read_text(encoding="utf-8"))}
    assert {"queue-full", "duplicate-job", "wrong-version"} <= told <= known


def test_there_are_pages() -> None:
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "wire.md"} <= {page.name for page in PAGES}
