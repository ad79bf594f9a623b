# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the environment that the hi3dgen engine runs in, with the standard library alone.

It is a virtual environment in the user's folder (backend/folders.py), made by Blender's own Python or by a given one:

    environments/NAME/      whole where it holds the stamp, which is written last, after a test
    environment.json        points to the one in use; replaced in one step, and only by one that passed its test
    downloads/              pip's cache: what a break left is not fetched again; goes when the environment is whole
    install.log             what pip said, the last time

An upgrade is made beside the one in use, which stays there for a way back. `plan` says what would be done, before
anything is fetched; `installation` does it.
"""
