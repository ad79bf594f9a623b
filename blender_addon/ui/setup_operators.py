# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators that install the engine “Networks” and its weights; without a window each waits until it is done."""
# pyright: reportInvalidTypeForm=false

from collections.abc import Callable

import bpy
from bpy.props import BoolProperty, EnumProperty, StringProperty

from ..errors import AddonError
from ..language.words import translated
from ..link import runtime, setup_timer
from ..link.setup import Setup
from ..link.setup_timer import setup

BUILDS = (  # a part of what `python -m backend install --torch` takes
    ("auto", "Automatic", "What fits the GPU and its driver"),
    ("cuda", "NVIDIA", "For NVIDIA's GPUs, by CUDA"),
    ("rocm", "AMD", "For AMD's GPUs on Linux, by ROCm"),
    ("cpu", "CPU", "For the processor, on which a mesh takes very long"),
)
PYTHON = "A Python 3.11 to 3.14 that makes the engine's environment if Blender's own cannot"
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


class HI3DGEN_OT_download_weights(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Download the published networks' weights"""

    bl_idname = "hi3dgen.download_weights"
    bl_label = "Download Weights"

    agree: BoolProperty(name="Agree", description=AGREE)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Download what is missing."""
        return self.run(lambda: _allowed(agreed=self.agree).download())


class HI3DGEN_OT_verify_weights(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Check that the weights are what was published"""

    bl_idname = "hi3dgen.verify_weights"
    bl_label = "Verify"

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """Read them all."""
        return self.run(setup().verify)


class HI3DGEN_OT_remove_engine(_SetupOperator, bpy.types.Operator):  # noqa: N801
    """Delete the engine's environment; the weights stay"""

    bl_idname = "hi3dgen.remove_engine"
    bl_label = "Remove"

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        """Ask first."""
        return context.window_manager.invoke_confirm(self, event)

    def execute(self, _context: bpy.types.Context) -> set[str]:
        """End the backend, which may run in it, and delete it."""

        def start() -> None:
            _require_rest()
            runtime.session().close()
            setup().remove()

        return self.run(start)


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
    HI3DGEN_OT_download_weights,
    HI3DGEN_OT_verify_weights,
    HI3DGEN_OT_remove_engine,
    HI3DGEN_OT_cancel_setup,
)


def _allowed(*, agreed: bool) -> Setup:
    """The setup, if downloads are allowed and agreed to. Raises `AddonError` if not."""
    if not bpy.app.online_access:
        advice = "Switch on Allow Online Access in Preferences > System > Network."
        raise AddonError("Blender is not allowed to go online.", advice)
    if not agreed:
        advice = "Read what is downloaded in the extension's preferences, and agree there (from a script: agree=True)."
        raise AddonError("Nothing is downloaded before its licences and its size are agreed to.", advice)
    return setup()


def _require_rest() -> None:
    if any(job.live for job in runtime.session().jobs):
        raise AddonError("A mesh is being made.", "Wait until it is done, or cancel it.")
