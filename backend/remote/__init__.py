# SPDX-License-Identifier: GPL-3.0-or-later
"""A backend on another computer, reached by the system's own `ssh` with the user's own keys.

`copying` puts the program there, and `running` lets it run a command of the backend there. `remote serve`, in
`commands`, starts a backend there whose port is forwarded to one of 127.0.0.1 here: on both computers nothing listens
on any other address.
"""
