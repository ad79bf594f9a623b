# SPDX-License-Identifier: GPL-3.0-or-later
"""docs/errors.md lists what a person can be told, with what to do: no sentence of the code more, and none less."""

import re
from pathlib import Path

from tests.backend.test_layering import ADDON, BACKEND, ROOT
from tests.sentences import sentences

ROW = re.compile(r"^\| (.+) \| (.+) \| (.*)\|$", re.MULTILINE)


def listed() -> dict[str, set[str]]:
    """The codes of each sentence on the page."""
    rows = ROW.findall((ROOT / "docs" / "errors.md").read_text(encoding="utf-8"))
    found = [(said, {*re.findall("`(.+?)`", codes)}) for said, _, codes in rows if said not in ("what it says", "---")]
    assert len(dict(found)) == len(found), "each sentence has one row"
    return dict(found)


def told() -> dict[str, set[str]]:
    """The codes of each sentence in the code."""
    found: dict[str, set[str]] = {}
    for path in (*BACKEND, *ADDON):
        for sentence, code in sentences(path):
            found.setdefault(sentence, set()).update({code} - {""})
    return found


def test_every_sentence_of_the_code_is_on_the_page_with_its_codes() -> None:
    page = listed()
    lacking = {sentence: codes for sentence, codes in told().items() if page.get(sentence) != codes}
    rows = [f"| {each} | WHAT TO DO | {', '.join(f'`{code}`' for code in sorted(lacking[each]))} |" for each in lacking]
    assert not rows, "\n".join(["docs/errors.md lacks:", *rows])


def test_every_sentence_of_the_page_is_in_the_code() -> None:
    assert not listed().keys() - told().keys()


def test_a_sentence_is_found_wherever_it_is_put_together(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text(
        """
LATE = "not-in-time"

def first(path, error):
    if path.broken:
        sentence = "The first one."
        raise UserError("a", sentence, "Do.")
    if error:
        sentence, advice = f"“{path}” is gone.", "Look."
    else:
        sentence, advice = "It is late.", "Hurry."
    raise UserError(LATE, sentence, advice)

def second(self, error):
    self.report({"INFO"}, "Well done.")
    self.report({"ERROR"}, "No." if error else "Not now.")
    self.report({"WARNING"}, say("“{name}” is late.", name=error))
    session.notice = "It is told later."
    raise AddonError(error.sentence, error.advice) from bad_line("Line 1", f"has {error}", "Do.")
""",
        encoding="utf-8",
    )
    assert sorted(sentences(tmp_path / "module.py")) == [
        ("It is late.", "not-in-time"),
        ("It is told later.", ""),
        ("No.", ""),
        ("Not now.", ""),
        ("The first one.", "a"),
        ("“…” is gone.", "not-in-time"),
        ("“…” is late.", ""),
        ("… has ….", "bad-list"),
    ]
