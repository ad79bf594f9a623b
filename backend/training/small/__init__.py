# SPDX-License-Identifier: GPL-3.0-or-later
"""A small NoRLD from made-up shapes: its objects, and the networks around both flow models (docs/norld.md).

`views` draws a shape as a picture shows it, and `objects` keeps it as a file. `tokens`, `structures` and `latents` are
the networks that turn such an object into what the flow models of `norld` learn from; `task` trains them, and
`encoding` makes what they answer. `gathering` lays all networks out as the engine `hi3dgen` reads them, and `truth`
says what is true of a shape that none of them has seen.
"""
