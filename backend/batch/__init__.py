# SPDX-License-Identifier: GPL-3.0-or-later
"""Many pictures: what is asked for, the manifest on disk, and who makes them. See docs/batch.md.

`lines`, `names`, `journal`, `workers`, `places`, `manifest`, `planning`, `results`, `running` and `summary` need the
standard library alone: Blender's command runs them too. The rest needs the pipeline, or libraries.
"""
