# SPDX-License-Identifier: GPL-3.0-or-later
"""`install`: makes, renews, rolls back or removes the hi3dgen engine's environment, when a person has agreed."""

import argparse
import sys
from contextlib import ExitStack
from pathlib import Path

from ..errors import UserError
from ..folders import user_folder, weights_folder
from ..install.builds import BUILDS
from ..install.environments import Environments, described
from ..install.installation import install, roll_back
from ..install.plan import PYTHONS, InstallPlan, make_plan
from ..weights import removal
from ..weights.lock import only_process_in
from .agreement import agrees
from .progress import ProgressBar


def configure(command: argparse.ArgumentParser) -> None:
    """Give `command` its options."""
    oldest, newest = (".".join(map(str, version)) for version in PYTHONS)
    what = command.add_mutually_exclusive_group()
    what.add_argument("--plan", action="store_true", help="say what would be installed, and download nothing")
    what.add_argument("--rollback", action="store_true", help="use the environment that was in use before")
    what.add_argument("--remove", action="store_true", help="delete the engine's environments")
    command.add_argument("--weights", action="store_true", help="with --remove: the weights, too; else they stay")
    builds = ("auto", "cuda", "rocm", *BUILDS)
    command.add_argument("--torch", choices=builds, default="auto", help="the build of PyTorch (default: what fits)")
    command.add_argument("--python", type=Path, metavar="PATH", help=f"the Python {oldest} to {newest} that makes it")
    command.add_argument("--index-url", default="", metavar="URL", help="one package index that has everything")
    command.add_argument("--agree", action="store_true", help="agree to the licences and the size that --plan shows")
    command.add_argument("--json", action="store_true", help="print the progress as JSON, an object a line")

    def checked(options: argparse.Namespace) -> int:
        if options.weights and not options.remove:
            command.error("--weights goes with --remove")  # it would install
        return run(options)

    command.set_defaults(run=checked)


def run(options: argparse.Namespace) -> int:
    """Install, or what the options ask for instead. Raises `UserError`."""
    environments = Environments(user_folder())
    if options.plan:
        return _show(options, environments)
    with ProgressBar(as_json=options.json) as progress:
        if options.remove:
            _remove(environments, weights=options.weights)
            progress.finished(removed=True)
            rest = "so are the weights" if options.weights else "the weights stay"
            _say(options, f"The engine's environments are removed; {rest}.")
        elif options.rollback:
            installed = roll_back(environments, progress)
            progress.finished(installed=described(installed))
            _say(options, f"In use again: {installed.name}, PyTorch {installed.torch} on {installed.device}.")
        else:
            plan = _plan(options, environments)
            _agree(options, plan, environments)
            installed = install(plan, environments, progress)
            progress.finished(installed=described(installed))
            _say(options, f"The engine is ready: PyTorch {installed.torch} on {installed.device}.")
    return 0


def _remove(environments: Environments, *, weights: bool) -> None:
    """Delete the environments, and the weights if they are meant too: nothing if one of them is being changed."""
    with ExitStack() as locks:
        locks.enter_context(environments.locked())
        if weights:
            locks.enter_context(only_process_in(weights_folder()))
        environments.remove()
        if weights:
            removal.remove()


def _show(options: argparse.Namespace, environments: Environments) -> int:
    """Print what would be installed; with `--json` in one line, an error's if it cannot be installed."""
    with ProgressBar(as_json=options.json) as progress:
        plan = _plan(options, environments)
        progress.finished(**_facts(plan, environments))
    if not options.json:
        _print(plan, environments)
    return 0


def _plan(options: argparse.Namespace, environments: Environments) -> InstallPlan:
    """The plan with the Python that is named, else that of the environment in use, else this one. Raises `UserError`.

    Several Blenders share the environment: one with another Python must not find that it is not up to date.
    """
    current = environments.current()
    if current and not options.python:
        try:
            return make_plan(options.torch, environments.python(current.name), options.index_url)
        except UserError as error:
            if error.code not in ("no-python", "no-venv"):
                raise
    return make_plan(options.torch, options.python, options.index_url)


def _facts(plan: InstallPlan, environments: Environments) -> dict[str, object]:
    return {
        "build": plan.build.label,
        "why": plan.why,
        "packages": list(plan.requirements),
        "hosts": plan.hosts,
        "download_bytes": round(plan.build.download),
        "disk_bytes": round(plan.build.disk),
        "licences": [[licence.part, licence.terms, licence.address] for licence in plan.build.licences],
        "python": str(plan.python.path),
        "folder": str(environments.folder(plan.name)),
        "installed": described(environments.current()),
        "has_files": environments.has_files(),
        "up_to_date": environments.current() is not None and environments.current() == environments.whole(plan.name),
    }


def _print(plan: InstallPlan, environments: Environments) -> None:
    print(f"PyTorch for {plan.build.label}. {plan.why}")
    print(f"into {environments.folder(plan.name)}, by Python {plan.python.full} ({plan.python.path})")
    print(f"about {_about(plan.build.download)} to download from {' and '.join(plan.hosts)}")
    print(f"about {_about(plan.build.disk)} on the disk, and while it is made as much as the download more")
    for licence in plan.build.licences:
        print(f"{licence.part}: {licence.terms}, {licence.address}")
    installed = environments.current()
    print(f"in use now: {f'{installed.name}, PyTorch {installed.torch}' if installed else 'none'}")


def _about(count: float) -> str:
    return f"{count / 1e9:.2g} GB"


def _agree(options: argparse.Namespace, plan: InstallPlan, environments: Environments) -> None:
    """Ask the person, unless `--agree` is given. Raises `UserError` if the person does not agree."""
    if options.agree:
        return
    if options.json or not sys.stdin.isatty():
        sentence = "Nothing is downloaded before its licences and its size are agreed to."
        raise UserError("not-agreed", sentence, "Read what `python -m backend install --plan` says and add --agree.")
    _print(plan, environments)
    if not agrees("Agree to these licences and download?"):
        raise UserError("not-agreed", "Nothing was downloaded.", "Run it again whenever you like.")


def _say(options: argparse.Namespace, sentence: str) -> None:
    if not options.json:
        print(sentence)
