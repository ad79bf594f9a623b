# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that install the engine “Networks” and its weights; without a window each waits until it is done."""
# pyright: reportInvalidTypeForm=false

from collections.abc import Callable

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..errors import AddonError
from ..extension import PACKAGE
from ..language.words import joined, say, translated
from ..link import runtime, setup_timer
from ..link.process import GO_ONLINE, OFFLINE
from ..link.setup import Message, Setup
from ..link.setup_timer import setup
from .storage_box import label_of
from .text import lines, size

BUILDS = (  # a part of what `python -m backend install --torch` takes
    ("auto", "Automatic", "What fits the GPU and its driver"),
    ("cuda", "NVIDIA", "For NVIDIA's GPUs, by CUDA"),
    ("rocm", "AMD", "For AMD's GPUs on Linux, by ROCm"),
    ("cpu", "CPU", "For the processor, on which a mesh takes very long"),
)
PYTHON = "A Python 3.11 to 3.14 that makes the engine's environment if Blender's own cannot"
ASK_WIDTH, ASK_MARGIN = 460, 20  # pixels at scale 1: of the question, for a path, and of its borders
AGREE = "The licences and the size of what is downloaded are agreed to"


class _SetupOperator:
    """What they share: they report errors, wait if no timer runs, and let the backend start anew."""

    bl_options = set()

    def run(self, start: Callable[[], None]) -> set[str]:
        """Start the work; without a window, wait for its end. Errors are reported."""
        try:
            start()
            setup_timer.keep_ticking()
            if not runtime.has_window():
                setup().wait()
                setup_timer.start_backend_anew()
                error = setup().work.error
                if error:
                    raise error
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return {"FINISHED"}


class HI3DGEN_OT_install(_SetupOperator, bpy.types.Operator):  # noqa: N801 - Blender's naming
    """Download PyTorch and what else the engine “Networks” needs, into an environment of its own"""

    bl_idname = "hi3dgen.install"
    bl_label = "Install"

    agree: BoolProperty(name="Agree", description=AGREE)
    torch: EnumProperty(name="PyTorch", description="The build of PyTorch", items=BUILDS)
    python: StringProperty(name="Python", description=PYTHON, subtype="FILE_PATH")

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Install, or renew what is there."""
        return self.run(lambda: _allowed(agreed=self.agree).install(self.torch, bpy.path.abspath(self.python)))


class HI3DGEN_OT_copy_to_computer(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Copy Hi3DGen to the computer over SSH, and NumPy if its Python has none. What it has already is replaced"""

    bl_idname = "hi3dgen.copy_to_computer"
    bl_label = "Set Up"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Copy it."""
        return self.run(lambda: _online().copy())


class HI3DGEN_OT_download_weights(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Download the published networks' weights"""

    bl_idname = "hi3dgen.download_weights"
    bl_label = "Download Weights"

    agree: BoolProperty(name="Agree", description=AGREE)
    package: StringProperty(
        name="Package",
        description="The one that is downloaded, by its name; empty for all that the engine needs",
        options={"SKIP_SAVE"},
    )

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Download what is missing."""
        return self.run(lambda: _allowed(agreed=self.agree).download(self.package))


class HI3DGEN_OT_verify_weights(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Check that the weights are what was published"""

    bl_idname = "hi3dgen.verify_weights"
    bl_label = "Verify"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Read them all."""
        return self.run(lambda: _reached().verify())


class HI3DGEN_OT_remove_engine(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Delete PyTorch and what else the engine “Networks” was installed with, and the weights if you say so"""

    bl_idname = "hi3dgen.remove_engine"
    bl_label = "Remove the Engine"

    weights: BoolProperty(
        name="Delete the Weights, Too",
        description="They would have to be downloaded again",
        options={"SKIP_SAVE"},
    )

    def invoke(self, context: bpy.types.Context, _event: bpy.types.Event) -> set[str]:
        """Ask first, if it can be done now."""
        try:
            _require_rest()
        except AddonError as error:
            self.report({"ERROR"}, translated(str(error)))
            return {"CANCELLED"}
        return context.window_manager.invoke_props_dialog(self, width=ASK_WIDTH, confirm_text=say("Remove"))

    def draw(self, context: bpy.types.Context) -> None:
        """Draw the question: what is deleted, and how much becomes free."""
        places = setup().places
        self.layout.prop(self, "weights")
        if "weights" in places:
            free = places["environment"]["bytes"] + (places["weights"]["bytes"] if self.weights else 0)
            frees = say("{size} become free.", size=size(free))
            stay = "" if self.weights else say("The weights stay, {size}.", size=size(places["weights"]["bytes"]))
            self.layout.label(text=joined(frees, stay), icon="TRASH", translate=False)
            column = self.layout.column(align=True)
            pixels = (ASK_WIDTH - ASK_MARGIN) * context.preferences.system.ui_scale
            for place in removed_places(places, weights=self.weights):
                for line in lines(place, pixels):
                    column.label(text=line, translate=False)
            shared = say("Other Blenders and terminals of yours use the same.")
            self.layout.label(text=shared, icon="INFO", translate=False)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the backend, which may run in it, and delete it."""

        def start() -> None:
            _require_rest()
            reached = _reached()
            runtime.session().close()
            reached.remove(weights=self.weights)

        return self.run(start)


class HI3DGEN_OT_clear_caches(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Forget the backend's results, and delete compiled Python files and broken-off downloads. All is made again"""

    bl_idname = "hi3dgen.clear_caches"
    bl_label = "Clear"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Clear the caches in memory and on the disk."""

        def start() -> None:
            _reached().clear()
            runtime.session().unload()
            runtime.keep_ticking()

        return self.run(start)


class HI3DGEN_OT_choose_device(bpy.types.Operator):  # noqa: N801
    """Let the engine compute on this device. The backend starts anew when no job runs"""

    bl_idname = "hi3dgen.choose_device"
    bl_label = "Choose Device"
    bl_options = {"INTERNAL"}

    device: StringProperty(name="Device", description="PyTorch's name of it; empty for no choice")

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Choose it."""
        context.preferences.addons[PACKAGE].preferences.device = self.device
        return {"FINISHED"}


class HI3DGEN_MT_device(bpy.types.Menu):  # noqa: N801
    """The devices that PyTorch has found"""

    bl_idname = "HI3DGEN_MT_device"
    bl_label = "Device"

    def draw(self, _context: bpy.types.Context) -> None:
        """Draw the entry without a choice first."""
        for name, label in [("", ""), *setup().doctor.get("devices", [])]:
            self.layout.operator("hi3dgen.choose_device", text=device_label(name, label)).device = name


class HI3DGEN_OT_cancel_setup(bpy.types.Operator):  # noqa: N801
    """End the installation, download or check; what was downloaded completely stays"""

    bl_idname = "hi3dgen.cancel_setup"
    bl_label = "Cancel"
    bl_options = set()

    @classmethod
    def poll(cls, _context: bpy.types.Context) -> bool:
        """Only while something is going on."""
        return setup().busy

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Cancel it."""
        setup().cancel()
        return {"FINISHED"}


CLASSES = (
    HI3DGEN_OT_install,
    HI3DGEN_OT_copy_to_computer,
    HI3DGEN_OT_download_weights,
    HI3DGEN_OT_verify_weights,
    HI3DGEN_OT_remove_engine,
    HI3DGEN_OT_clear_caches,
    HI3DGEN_OT_choose_device,
    HI3DGEN_MT_device,
    HI3DGEN_OT_cancel_setup,
)


def _allowed(*, agreed: bool) -> Setup:
    """The setup, if downloads are allowed and agreed to. Raises `AddonError` if not."""
    allowed = _online()
    if not agreed:
        advice = "Read what is downloaded in the extension's preferences, and agree there (from a script: agree=True)."
        raise AddonError("Nothing is downloaded before its licences and its size are agreed to.", advice)
    return allowed


def _reached() -> Setup:
    """The setup, if Blender may reach the computer that it is about. Raises `AddonError` if not."""
    return _online() if runtime.computer() else setup()


def _online() -> Setup:
    """The setup, if Blender may use the network. Raises `AddonError` if not."""
    if not bpy.app.online_access:
        raise AddonError(OFFLINE, GO_ONLINE)
    return setup()


def removed_places(places: dict[str, Message], *, weights: bool) -> list[str]:
    """Where that lies which is to be removed, a line each."""
    removed = ("environment", "weights") if weights else ("environment",)
    return [f"{label_of(name)}: {places[name]['folder']}" for name in removed]


def device_label(name: str, label: str = "") -> str:
    """A device as the artist knows it: "NVIDIA GeForce RTX 3060 (cuda:0)"; its name alone if it was not found.

    No name is what the terminal says in which Blender was started, else the best one.
    """
    if not name:
        inherited = runtime.inherited_device()
        return say("{device}, by HI3DGEN_DEVICE", device=inherited) if inherited else say("Automatic")
    label = label or dict(setup().doctor.get("devices", [])).get(name, "")
    label = {"the processor": say("the processor"), "Apple's GPU": say("Apple's GPU")}.get(label, label)
    return f"{label[0].upper()}{label[1:]} ({name})" if label else name


def _require_rest() -> None:
    setup().require_rest()
    if any(job.live for job in runtime.session().jobs):
        raise AddonError("A mesh is being made.", "Wait until it is done, or cancel it.")
