# SPDX-License-Identifier: GPL-3.0-or-later
"""The contact sheet: as many pages as its pictures need, and none that is left of an earlier one."""

import os
from pathlib import Path

from backend.batch.manifest import Entry, Manifest
from backend.batch.sheet import COLUMNS, ROWS, sheet_is_current, write_sheet
from backend.batch.summary import SUMMARY, write_summary
from tests.backend.batch.pictures import REQUEST, Image


def grow_older(path: Path) -> None:
    """Let a file have been written a second earlier: a disk may not tell shorter times apart."""
    time = path.stat().st_mtime_ns - 10**9
    os.utime(path, ns=(time, time))


def test_pages_come_and_go_with_the_pictures(tmp_path: Path) -> None:
    names = [f"{number:03}" for number in range(2 * COLUMNS * ROWS + 1)]
    with Manifest(tmp_path / "out") as manifest:
        with manifest.locked():
            manifest.write(*(Entry(name, REQUEST) for name in names))
        for count, pages in ((len(names), {"", "_2", "_3"}), (1, {""})):
            write_summary(manifest, names[:count])
            assert not sheet_is_current(manifest.out, count)
            write_sheet(manifest, names[:count])
            grow_older(manifest.out / SUMMARY)
            assert sheet_is_current(manifest.out, count)
            assert {path.name for path in manifest.out.glob("*.jpg")} == {f"contact_sheet{end}.jpg" for end in pages}
        with Image.open(manifest.out / "contact_sheet.jpg") as sheet:
            assert sheet.width < 200, "one picture is as wide as one picture"
        write_summary(manifest, names[:1])
        assert sheet_is_current(manifest.out, 1), "the same summary is not written again"
        write_summary(manifest, names[:2])
        assert not sheet_is_current(manifest.out, 2)
