# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension in the languages that it is translated into, in a Blender that has them, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.blender import MODULE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow]

SAID = {  # the label of Generate; an error; a note; a sentence of the panel
    "de_DE": (
        "Erzeugen",
        "Die Datei „owl. 2.png“ gibt es nicht. Den Pfad prüfen.",
        "Der Freisteller hat 3 getrennte Teile.",
        "Das Ergebnis ist fertig. Es kommt, wenn Sie den Bearbeitungsmodus verlassen.",
    ),
    "es": (
        "Generar",
        "No existe el archivo “owl. 2.png”. Comprobar la ruta.",
        "El recorte tiene 3 partes separadas.",
        "El resultado está listo. Llegará cuando se salga de Modo Edición.",
    ),
    "fr_FR": (
        "Générer",
        "Il n’y a pas de fichier « owl. 2.png ». Vérifiez le chemin.",  # noqa: RUF001
        "Le détourage a 3 parties séparées.",
        "Le résultat est prêt. Il viendra quand vous quitterez le Mode édition.",
    ),
    "ja_JP": (
        "生成",
        "ファイル「owl. 2.png」がありません。パスを確認してください。",
        "切り抜きが3個に分かれています。",
        "結果ができました。編集モードを抜けると追加されます。",
    ),
    "zh_HANS": (
        "生成",
        "没有文件“owl. 2.png”。请检查路径。",
        "抠像分成了 3 个部分。",
        "结果已就绪。退出编辑模式后加入场景。",
    ),
}
BLENDERS = ("Install", "Mark as Asset", "Remove", "Cancel")  # operators that Blender has, too


@pytest.fixture(params=SAID)
def language(blender: Blender, request: pytest.FixtureRequest) -> Iterator[str]:
    """Blender in each language."""
    if request.param not in blender.ask("bpy.app.translations.locales"):
        pytest.skip(f"this Blender has no {request.param}")
    blender.ask(f"bpy.context.preferences.view.language = {request.param!r}")
    yield request.param
    blender.ask("bpy.context.preferences.view.language = 'en_US'")


def test_labels_errors_and_notes_are_said_in_it_and_blenders_own_words_stay(blender: Blender, language: str) -> None:
    label, error, note, sentence = SAID[language]
    operator = "bpy.ops.hi3dgen.generate.get_rna_type()"
    assert blender.ask(f"bpy.app.translations.pgettext({operator}.name, {operator}.translation_context)") == label
    words = f"sys.modules['{MODULE}.blender_addon.language.words']"
    assert blender.ask(f"{words}.translated('There is no file “owl. 2.png”. Check the path.')") == error
    assert blender.ask(f"{words}.translated('The cut-out has 3 separate parts.')") == note
    leave = f"{words}.say('you leave {{mode}}', mode=bpy.app.translations.pgettext_iface('Edit Mode'))"
    said = f"{words}.say('The result is ready. It comes when {{reason}}.', reason={leave})"
    assert blender.ask(said) == sentence
    asked = f"[bpy.app.translations.pgettext(text, 'Operator') for text in {BLENDERS}]"
    ours = blender.ask(asked)
    blender.ask(f"sys.modules['{MODULE}.blender_addon.language.catalogue'].unregister()")
    try:
        assert blender.ask(asked) == ours
    finally:
        blender.ask(f"sys.modules['{MODULE}.blender_addon.language.catalogue'].register()")


@pytest.mark.parametrize("language", ["de_DE", "ja_JP"], indirect=True)  # the longest words, and another script
def test_the_panel_is_drawn_in_it(blender: Blender, language: str, toadstool: Path, shots: Path) -> None:
    blender.ask(f"use({str(toadstool)!r}, 256)")
    blender.shoot(shots / f"{language} before.png")
    name = blender.ask("session().next_name()")
    blender.click("hi3dgen.generate(")
    blender.wait(f"session().next_name() != {name!r}")
    blender.wait_for_job()
    blender.shoot(shots / f"{language}.png")
    blender.ask("setattr(bpy.context.preferences.view, 'ui_scale', 0.7)")
    blender.shoot(shots / f"{language} all.png")
    blender.ask("setattr(bpy.context.preferences.view, 'ui_scale', 1.0)")
    blender.ask("area('VIEW_3D').type = 'PREFERENCES'")
    blender.ask("show_preferences()")
    blender.wait("setup().plan or setup().plan_error")
    blender.shoot(shots / f"{language} preferences.png")
