# SPDX-License-Identifier: GPL-3.0-or-later
"""What `ssh` is given, and what its failures mean."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.errors import UserError
from backend.remote import scripts, ssh


@pytest.mark.parametrize(
    "name", ["workstation", "anna@workstation", "10.0.0.7", "anna@[fe80::1%eth0]", "my-gpu_2.local"]
)
def test_names_as_in_a_terminal_are_taken(name: str) -> None:
    assert ssh.checked_name(name) == name


@given(st.text(max_size=30))
def test_no_name_is_an_option_or_more_than_one_word(name: str) -> None:
    try:
        taken = ssh.checked_name(name)
    except UserError:
        return
    assert taken.isascii()
    assert not taken.startswith("-")
    assert not set(taken) & set(" \t\n'\"`$;&|<>()\\*?#~!")


@given(st.integers(0, 255), st.lists(st.text(max_size=50), max_size=3))
def test_every_exit_code_has_a_sentence_and_advice(code: int, said: list[str]) -> None:
    error = ssh.failure("far", code, said)
    assert "far" in error.sentence
    assert error.sentence.endswith(".")
    assert error.advice.endswith(".")


def test_codes_are_not_taken_for_each_other() -> None:
    codes = {ssh.failure("far", code, []).code for code in (ssh.NOT_CONNECTED, scripts.NOT_SET_UP, scripts.NO_PYTHON)}
    assert len(codes) == 3
