# SPDX-License-Identifier: GPL-3.0-or-later
"""Datablocks that are held while a job runs: by their session UID, never by name or by reference.

A name changes, and another datablock may have it afterwards; a reference is invalid after an undo. A session UID stays
through both, and no datablock of another file has it.
"""

from collections.abc import Iterable
from typing import TypeVar

import bpy

Data = TypeVar("Data", bound=bpy.types.ID)


def held(kind: Iterable[Data], uid: int) -> Data | None:
    """The one of a kind of datablocks, such as `bpy.data.images`, that has this session UID; None if it is gone."""
    return next((data for data in kind if data.session_uid == uid), None)


def all_held(kind: Iterable[Data], uids: Iterable[int]) -> list[Data]:
    """Those of a kind of datablocks that have these session UIDs, in their order, without those that are gone."""
    known = {data.session_uid: data for data in kind}
    return [known[uid] for uid in uids if uid in known]


def uid_of(data: bpy.types.ID | None) -> int:
    """The session UID of a datablock; 0, which none has, of nothing."""
    return data.session_uid if data else 0
