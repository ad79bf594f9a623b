# SPDX-License-Identifier: GPL-3.0-or-later
"""The box "The Engine “Networks”" in the preferences: what is there, what would be downloaded, and how far it is."""

from urllib.parse import urlsplit

import bpy

from ..errors import AddonError
from ..language.words import joined, say, translated
from ..link import runtime, setup_timer
from ..link.setup import Message, Setup, Step
from .setup_operators import device_label
from .text import draw_lines, lines, size

_MARGIN = 80  # pixels beside a label
_DEVICE = 0.25  # of the width, as Blender divides the rows of properties
_BUTTON = 100  # pixels of a button beside a text


def draw(layout: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, width: float) -> None:
    """Draw the box. width: of the region, in pixels."""
    setup = setup_timer.setup()
    setup_timer.find_out(preferences.torch, preferences.python)
    box = layout.box()
    box.label(text=say("The Engine “Networks”"))
    trouble = runtime.session().trouble
    if trouble:
        _sentences(box, width, trouble, icon="ERROR")
        box.operator("hi3dgen.show_log", icon="TEXT").of = "BACKEND"
    if setup.plan_error:
        _draw_error(box, setup.plan_error, width)
    elif setup.plan:
        _draw_environment(box, preferences, setup.plan, width)
        _draw_weights(box, setup, preferences, width)
    else:
        box.label(text=say("Finding out what is here …"))
    if setup.busy:
        _draw_progress(box, setup.work.step, width)
    else:
        box.prop(preferences, "torch")
        if not runtime.computer():  # the other one's Python is chosen as it is set up
            box.prop(preferences, "python")
        if setup.plan:
            _draw_buttons(box, preferences, setup)
        if setup.work and setup.work.error:
            _draw_error(box, setup.work.error, width)


def progress_text(step: Step) -> str:
    """Such as "Downloading torch: 120.5 MB of 526.6 MB, 11.2 MB/s"."""
    label = translated(step.label)
    if step.unit != "bytes":
        return say("{what}: {done} of {of}", what=label, done=step.done, of=step.of) if step.of > 1 else label
    done = say("{done} of {of}", done=size(step.done), of=size(step.of)) if step.of else size(step.done)
    speed = f", {size(step.per_second)}/s" if step.per_second else ""
    return f"{label}: {done}{speed}"


def _draw_environment(
    box: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, plan: Message, width: float
) -> None:
    installed = plan["installed"]
    if installed:
        text = say("Installed: PyTorch {version} on {device}", version=installed["torch"], device=installed["device"])
        box.label(text=text, icon="CHECKMARK", translate=False)
        row = box.split(factor=_DEVICE)
        row.label(text=say("Device:"))
        row.menu("HI3DGEN_MT_device", text=device_label(preferences.device))
    if plan["up_to_date"]:
        return
    what = say("To install: PyTorch for {build}.", build=plan["build"])
    _sentences(box, width, joined(what, translated(plan["why"])), icon="IMPORT")
    index = {"the Python Package Index": say("the Python Package Index")}
    hosts = ", ".join(index.get(host) or urlsplit(host).netloc or host for host in plan["hosts"])
    need = {"download": _about(plan["download_bytes"]), "disk": _about(plan["disk_bytes"]), "hosts": hosts}
    _sentences(box, width, say("About {download} to download, about {disk} on the disk; from {hosts}", **need))
    column = box.column(align=True)
    for part, terms, address in plan["licences"]:
        _draw_licence(column, width, f"{part}: {terms}", address)


def _draw_weights(box: bpy.types.UILayout, setup: Setup, preferences: bpy.types.AddonPreferences, width: float) -> None:
    if setup.weights_error:
        _draw_error(box, setup.weights_error, width)
    packages = setup.weights.get("packages", [])
    missing = _missing(packages)
    if packages and not missing:
        box.label(text=say("The weights are here"), icon="CHECKMARK")
    if missing:
        needed = size(setup.weights["bytes_needed"])
        text = say("{size} of weights to download into {folder}", size=needed, folder=setup.weights["folder"])
        _sentences(box, width, text, icon="IMPORT")
        column = box.column(align=True)
        for package in missing:
            _draw_package(column, package, width)
    further = _missing(setup.weights.get("more", []))
    if further:
        box.prop(preferences, "further")
    for package in further if preferences.further else ():
        _sentences(box, width, translated(package["purpose"]), icon="IMPORT")
        _draw_package(box.column(align=True), package, width)


def _missing(packages: list[Message]) -> list[Message]:
    return [package for package in packages if package["state"] != "present"]


def _draw_package(column: bpy.types.UILayout, package: Message, width: float) -> None:
    optional = f", {say('optional')}" if package["optional"] else ""
    text = f"{package['name']}: {size(package['bytes'])}, {package['licence']}{optional}"
    _draw_licence(column, width, text, package["licence_url"])
    if terms := package.get("terms"):
        _sentences(column, width, translated(terms), icon="BLANK1")
    if package["trouble"]:
        _sentences(column, width, package["trouble"], icon="ERROR")


def _draw_buttons(box: bpy.types.UILayout, preferences: bpy.types.AddonPreferences, setup: Setup) -> None:
    if not bpy.app.online_access:
        box.prop(bpy.context.preferences.system, "use_online_access")  # the downloads wait for it
    box.prop(preferences, "agree")
    row = box.row()
    install = row.row()
    install.enabled = preferences.agree
    is_installed = bool(setup.plan["installed"])
    button = install.operator("hi3dgen.install", text=say("Renew") if is_installed else say("Install"), icon="IMPORT")
    button.agree, button.torch, button.python = preferences.agree, preferences.torch, preferences.python
    download = row.row()
    download.enabled = preferences.agree and is_installed
    download.operator("hi3dgen.download_weights", icon="IMPORT").agree = preferences.agree
    for package in _missing(setup.weights.get("more", [])) if preferences.further else ():
        row = box.row()
        row.enabled = preferences.agree and is_installed
        text = say("Download {name}", name=package["name"])
        button = row.operator("hi3dgen.download_weights", text=text, icon="IMPORT")
        button.agree, button.package = preferences.agree, package["name"]
    weights = setup.places.get("weights", {}).get("bytes", 0)
    if setup.plan["has_files"] or weights:  # also of what could not be deleted the last time
        row = box.row()
        if is_installed:
            row.operator("hi3dgen.verify_weights", icon="CHECKMARK")
        row.operator("hi3dgen.remove_engine", icon="TRASH")


def _draw_progress(box: bpy.types.UILayout, step: Step, width: float) -> None:
    row = box.split(factor=_beside_button(width))
    row.progress(factor=min(step.done / step.of, 1.0) if step.of else 0.0, text=progress_text(step))
    row.operator("hi3dgen.cancel_setup", icon="X")


def _draw_error(box: bpy.types.UILayout, error: AddonError, width: float) -> None:
    _sentences(box, width, error.sentence, icon="ERROR")
    _sentences(box, width, error.advice)
    if error.in_log:
        box.operator("hi3dgen.show_log", icon="TEXT").of = "SETUP"


def _draw_licence(column: bpy.types.UILayout, width: float, text: str, address: str) -> None:
    beside = _beside_button(width)
    row = column.split(factor=beside)
    _sentences(row, width * beside, text)
    row.operator("wm.url_open", text=say("Licence"), icon="URL").url = address


def _beside_button(width: float) -> float:
    """The share of the width that is left beside a button."""
    return max(0.5, 1.0 - _BUTTON * bpy.context.preferences.system.ui_scale / max(width, 1.0))


def _sentences(box: bpy.types.UILayout, width: float, text: str, *, icon: str = "BLANK1") -> None:
    draw_lines(box, lines(translated(text), width - _MARGIN * bpy.context.preferences.system.ui_scale), icon)


def _about(count: float) -> str:
    return f"{count / 1e9:.2g} GB"
