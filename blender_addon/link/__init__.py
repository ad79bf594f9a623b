# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the backend: its process, its connection, its jobs, its setup, and the timers that follow them.

`ui`, `generate` and `command` use it; it knows neither `ui` nor `scene`, and bpy only if a timer needs it.
"""
