# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the environment that the hi3dgen engine runs in, with the standard library alone.

It is a virtual environment in the user's folder (backend/folders.py), made by Blender's own Python or by a given one:

    environments/NAME/      whole if it holds the stamp, which is written last, after a test
    hi3dgen-in-use.json     points to the one in use; replaced in one step, and only by one that passed its test
    hi3dgen-downloads/      pip's cache: what came before a break is not downloaded again; deleted at the end
    hi3dgen-install.log     pip's output of the last installation

The user's folder may hold other things: only what has our names is deleted or written over.

An upgrade is made beside the one in use, which stays there for a rollback. `plan` says what would be done before
anything is downloaded; `installation` does it. `hashes.txt` is written by scripts/pin_hashes.py.
"""
