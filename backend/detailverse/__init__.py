# SPDX-License-Identifier: GPL-3.0-or-later
"""A set of objects of one's own to learn from, as DetailVerse is for Hi3DGen: from prompts to what training reads.

A stage reads a folder and writes the next one (`world`): prompts, pictures, meshes, views with measures, labels, and
which objects are kept. What takes long runs in the processes of `batch`, an object a task (`making`); `pictures`,
`sculptures` and `measures` make one. How the published set was made in detail is not known; docs/detailverse.md says
what is ours. Not in the extension's zip, as it needs `training`.
"""
