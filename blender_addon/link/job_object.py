# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows alone: a job object that ends the backend with Blender, however Blender ends.

Microsoft Learn, "Job Objects": JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE ends every process of a job when the last handle to
it closes, and the system closes the handles of a process that is killed. Not tried on a real Windows yet.
"""

import ctypes
from ctypes import wintypes

_EXTENDED_LIMIT_INFORMATION = 9
_KILL_ON_JOB_CLOSE = 0x2000
_PROCESS_SET_QUOTA_AND_TERMINATE = 0x0100 | 0x0001


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("PerProcessUserTimeLimit", wintypes.LARGE_INTEGER),
        ("PerJobUserTimeLimit", wintypes.LARGE_INTEGER),
        ("LimitFlags", wintypes.DWORD),
        ("MinimumWorkingSetSize", ctypes.c_size_t),
        ("MaximumWorkingSetSize", ctypes.c_size_t),
        ("ActiveProcessLimit", wintypes.DWORD),
        ("Affinity", ctypes.c_size_t),
        ("PriorityClass", wintypes.DWORD),
        ("SchedulingClass", wintypes.DWORD),
    )


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("BasicLimitInformation", _BasicLimits),
        ("IoInfo", ctypes.c_ulonglong * 6),
        ("ProcessMemoryLimit", ctypes.c_size_t),
        ("JobMemoryLimit", ctypes.c_size_t),
        ("PeakProcessMemoryUsed", ctypes.c_size_t),
        ("PeakJobMemoryUsed", ctypes.c_size_t),
    )


class JobObject:
    """Holds one process; the process ends with the last reference to this."""

    def __init__(self, pid: int) -> None:
        """Put the process `pid` into a job of its own. Raises `OSError` if Windows refuses."""
        self._kernel = ctypes.WinDLL("kernel32", use_last_error=True)
        for name in ("CreateJobObjectW", "OpenProcess"):
            getattr(self._kernel, name).restype = wintypes.HANDLE
        self._job = wintypes.HANDLE(self._kernel.CreateJobObjectW(None, None))
        limits = _ExtendedLimits()
        limits.BasicLimitInformation.LimitFlags = _KILL_ON_JOB_CLOSE
        size = ctypes.sizeof(limits)
        self._check(
            self._kernel.SetInformationJobObject(self._job, _EXTENDED_LIMIT_INFORMATION, ctypes.byref(limits), size)
        )
        process = wintypes.HANDLE(self._kernel.OpenProcess(_PROCESS_SET_QUOTA_AND_TERMINATE, False, pid))  # noqa: FBT003
        try:
            self._check(self._kernel.AssignProcessToJobObject(self._job, process))
        finally:
            self._kernel.CloseHandle(process)

    def __del__(self) -> None:
        self._kernel.CloseHandle(self._job)

    @staticmethod
    def _check(succeeded: int) -> None:
        if not succeeded:
            raise ctypes.WinError(ctypes.get_last_error())
