# SPDX-License-Identifier: GPL-3.0-or-later
"""The extension in the languages that it is translated into, in a Blender that has them, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gui.blender import MODULE, Blender

pytestmark = [pytest.mark.window, pytest.mark.slow, pytest.mark.once]

SAID = {  # the label of Generate; an error; a note; a sentence of the panel; a device
    "de_DE": (
        "Erzeugen",
        "Die Datei „owl. 2.png“ gibt es nicht. Den Pfad prüfen.",
        "Der Freisteller hat 3 getrennte Teile.",
        "Das Ergebnis ist fertig. Es kommt, wenn Sie den Bearbeitungsmodus verlassen.",
        "Prozessor (cpu)",
    ),
    "es": (
        "Generar",
        "No existe el archivo “owl. 2.png”. Comprobar la ruta.",
        "El recorte tiene 3 partes separadas.",
        "El resultado está listo. Llegará cuando se salga de Modo Edición.",
        "Procesador (cpu)",
    ),
    "fr_FR": (
        "Générer",
        "Il n’y a pas de fichier «\u00a0owl. 2.png\u00a0». Vérifiez le chemin.",  # noqa: RUF001
        "Le détourage a 3 parties séparées.",
        "Le résultat est prêt. Il viendra quand vous quitterez le Mode édition.",
        "Processeur (cpu)",
    ),
    "ja_JP": (
        "生成",
        "ファイル「owl. 2.png」がありません。パスを確認してください。",
        "切り抜きが3個に分かれています。",
        "結果ができました。編集モードを抜けると追加されます。",
        "CPU (cpu)",
    ),
    "zh_HANS": (
        "生成",
        "没有文件“owl. 2.png”。请检查路径。",
        "抠图分成了 3 个部分。",
        "结果已就绪。退出编辑模式后加入场景。",
        "处理器 (cpu)",
    ),
}
DRAWN = {  # the longest words, and another script: why Generate is grey; what an operator reports
    "de_DE": (
        "Noch kein Bild: oben eines öffnen oder in einem Bildeditor.",
        "Das Bild „clay“ gibt es in dieser Datei nicht. Den Namen prüfen.",
    ),
    "ja_JP": (
        "まだ画像がありません。上で開くか、画像エディターで開いてください。",
        "このファイルに画像「clay」がありません。名前を確認してください。",
    ),
}
AUTOMATIC = {"de_AT": "Erzeugen", "es_MX": "Generar", "fr_CA": "Générer", "ja_JP": "生成", "zh_Hans": "生成"}
LANGUAGE = f"sys.modules['{MODULE}.blender_addon.language.{{}}']"
WORDS, CATALOGUE = LANGUAGE.format("words"), LANGUAGE.format("catalogue")
REFUSED = f"""
def refused():
    try:
        bpy.ops.hi3dgen.generate(image="clay")
    except RuntimeError as error:
        return {WORDS}.reported(error)
"""
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
    label, error, note, sentence, device = SAID[language]
    operator = "bpy.ops.hi3dgen.generate.get_rna_type()"
    assert blender.ask(f"bpy.app.translations.pgettext({operator}.name, {operator}.translation_context)") == label
    assert blender.ask(f"{WORDS}.translated('There is no file “owl. 2.png”. Check the path.')") == error
    assert blender.ask(f"{WORDS}.translated('The cut-out has 3 separate parts.')") == note
    leave = f"{WORDS}.say('you leave {{mode}}', mode=bpy.app.translations.pgettext_iface('Edit Mode'))"
    said = f"{WORDS}.say('The result is ready. It comes when {{reason}}.', reason={leave})"
    assert blender.ask(said) == sentence
    of_an_object = "The picture that “mesh” was made from is not in this file any more."
    said = blender.ask(f"{WORDS}.translated({of_an_object!r})")
    assert said != of_an_object
    assert "mesh" in said, "it is the object's name"
    operators = f"sys.modules['{MODULE}.blender_addon.ui.setup_operators']"
    assert blender.ask(f"{operators}.device_label('cpu', 'the processor')") == device
    asked = f"[bpy.app.translations.pgettext(text, 'Operator') for text in {BLENDERS}]"
    ours = blender.ask(asked)
    blender.ask(f"{CATALOGUE}.unregister()")
    try:
        assert blender.ask(asked) == ours
    finally:
        blender.ask(f"{CATALOGUE}.register()")


@pytest.mark.parametrize("locale", AUTOMATIC)
def test_the_systems_language_is_taken_if_none_is_chosen(blender: Blender, locale: str) -> None:
    blender.ask(f"os.environ.update(LC_ALL='{locale}.UTF-8')")
    blender.ask("bpy.context.preferences.view.language = 'DEFAULT'")
    try:
        if blender.ask("bpy.app.translations.locale") != locale:
            pytest.skip("this Blender knows the languages alone that the system is set up for")
        assert blender.ask(f"{WORDS}.say('Generate')") == AUTOMATIC[locale]
        assert (
            blender.ask(f"{WORDS}.translated('The cut-out has 3 separate parts.')")
            != "The cut-out has 3 separate parts."
        )
    finally:
        blender.ask("os.environ.update(LC_ALL='C.UTF-8')")
        blender.ask("bpy.context.preferences.view.language = 'en_US'")


@pytest.mark.parametrize("language", DRAWN, indirect=True)
def test_the_panel_is_drawn_in_it(blender: Blender, language: str, toadstool: Path, shots: Path) -> None:
    why_grey, report = DRAWN[language]
    blender.ask("listen(); redraw()")
    blender.wait(f"{why_grey!r} in diary.said")
    blender.ask(REFUSED)
    assert blender.ask("refused()") == report
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
