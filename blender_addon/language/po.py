# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of translations as translators know them: PO, of GNU gettext, without plurals."""

import json
from pathlib import Path

Texts = dict[tuple[str, str], str]
"""Translations by their context and the English text, as Blender takes them."""

CONTEXT = "Hi3DGen"  # of texts for which the file names none
_KEYWORDS = ("msgctxt", "msgid", "msgstr")


def read(path: Path) -> Texts:
    """The translations of a file; texts that are not translated yet are left out. Raises `ValueError` and `OSError`."""
    texts: Texts = {}
    entry: dict[str, str] = {}
    keyword = ""
    for line in [*path.read_text(encoding="utf-8").split("\n"), 'msgid ""']:
        if not line or line.startswith("#"):
            continue
        first, _, rest = line.partition(" ")
        if first in _KEYWORDS:
            if first in entry or (first == "msgctxt" and "msgid" in entry):
                _keep(entry, texts)
                entry = {}
            keyword = first
        else:
            rest = line  # the string goes on
        entry[keyword] = entry.get(keyword, "") + json.loads(rest)
    return texts


def written(language: str, texts: Texts) -> str:
    """The text of a file, in the order of `texts`."""
    header = f'msgid ""\nmsgstr ""\n"Language: {language}\\n"\n"Content-Type: text/plain; charset=UTF-8\\n"\n'
    return "\n".join([header, *(_entry(context, text, texts[context, text]) for context, text in texts)])


def _keep(entry: dict[str, str], texts: Texts) -> None:
    if entry.get("msgid") and entry.get("msgstr"):
        texts[entry.get("msgctxt", CONTEXT), entry["msgid"]] = entry["msgstr"]


def _entry(context: str, text: str, translation: str) -> str:
    lines = [] if context == CONTEXT else [f"msgctxt {_quoted(context)}"]
    return "\n".join([*lines, f"msgid {_quoted(text)}", f"msgstr {_quoted(translation)}", ""])


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
