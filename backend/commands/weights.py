# SPDX-License-Identifier: GPL-3.0-or-later
"""`weights`: lists the published weights, downloads them when a person has agreed, and checks them."""

import argparse
import json
import sys
from typing import TYPE_CHECKING

from .. import hosts
from ..errors import UserError
from ..folders import free_space, weights_folder
from ..weights import disk, store
from ..weights.catalogue import EVERY, MORE, PACKAGES, Package
from ..weights.checkup import Finding, check
from ..weights.lock import only_process_in
from .agreement import agrees
from .progress import ProgressBar, amount

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..weights.download import Download


def configure(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the commands of `weights`."""
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("list", help="list them with their licences, and say which are here")
    command.set_defaults(run=_list)
    command.add_argument("--json", action="store_true", help="print it as JSON")

    command = commands.add_parser("where", help="print the folder of each")
    command.set_defaults(run=_where)
    command.add_argument("--json", action="store_true", help="print it as JSON")

    command = commands.add_parser("download", help="show licences and sizes, ask, and download what is missing")
    command.set_defaults(run=_download)
    _add_packages(command)
    command.add_argument("--agree", action="store_true", help="agree to the licences that `weights list` names")
    command.add_argument(
        "--update", action="store_true", help="take this version's revisions instead of the recorded ones"
    )
    command.add_argument("--hub-cache", action="store_true", help="use what the hub's shared cache has on this machine")

    command = commands.add_parser("verify", help="check the files that are here")
    command.set_defaults(run=_verify)
    _add_packages(command)
    command.add_argument("--record", action="store_true", help="record the hashes of files that no record has")


def _add_packages(command: argparse.ArgumentParser) -> None:
    names = [package.name for package in EVERY]
    command.add_argument("packages", nargs="*", metavar="PACKAGE", type=_package, help=f"of {', '.join(names)}")
    command.add_argument("--json", action="store_true", help="print progress and result as lines of JSON")


def _package(name: str) -> Package:
    for package in EVERY:
        if package.name == name:
            return package
    raise argparse.ArgumentTypeError(f"“{name}” is not one of {', '.join(package.name for package in EVERY)}")


def _list(options: argparse.Namespace) -> int:
    """Print the packages, what is here and what is to be downloaded; 0 also if something is missing."""
    with ProgressBar(as_json=options.json), disk.user_errors():
        found, more = ([store.status(package) for package in packages] for packages in (PACKAGES, MORE))
        needed, free = sum(status.bytes_missing for status in found), free_space(weights_folder())
    if options.json:
        answer = {
            "folder": str(weights_folder()),
            "bytes_needed": needed,
            "bytes_free": free,
            "packages": [_as_json(status) for status in found],
            "more": [_as_json(status) for status in more],
        }
        print(json.dumps(answer))
        return 0
    for status in found:
        _print_status(status)
    print(f"{amount(needed)} to be downloaded into {weights_folder()}; {amount(free)} are free there")
    print("These are downloaded by name alone, as in `weights download NAME`:")
    for status in more:
        _print_status(status)
    return 0


def _print_status(status: store.Status) -> None:
    package = status.package
    print(f"{package.name}: {status.state}, {amount(status.bytes)}, {package.licence} ({package.licence_url})")
    print(f"    {package.purpose}{' Optional.' if package.optional else ''}")
    if package.terms:
        print(f"    {package.terms}")
    if status.trouble:
        print(f"    {status.trouble.sentence} {status.trouble.advice}")
    elif status.state == "partial":
        print(f"    missing: {', '.join(status.missing)}")


def _where(options: argparse.Namespace) -> int:
    """Print the folder of the weights and each package's own; 0 also if they are not there yet."""
    with ProgressBar(as_json=options.json):
        found = [store.status(package) for package in EVERY]
    if options.json:
        packages = {status.package.name: {"folder": str(status.folder), "state": status.state} for status in found}
        print(json.dumps({"folder": str(weights_folder()), "packages": packages}))
        return 0
    print(weights_folder())
    for status in found:
        print(f"{status.package.name}: {status.folder} ({status.state})")
    return 0


def _download(options: argparse.Namespace) -> int:
    """Download what is missing, after a person has agreed. Raises `UserError`."""
    packages = options.packages or list(PACKAGES)
    with ProgressBar(as_json=options.json) as progress:
        hosts.hub()  # huggingface_hub cannot even be imported if HF_ENDPOINT is no address
        try:
            from ..weights import download  # noqa: PLC0415 - needs huggingface_hub, which only the engine's Python has
        except ImportError as error:
            raise UserError(
                "engine-missing",
                f"The download needs huggingface_hub 2.4 or newer, which this Python lacks ({error.name}).",
                "Install the engine first: `python -m backend install`, or the button in the extension's preferences.",
            ) from error
        with only_process_in(weights_folder()):
            downloads = download.plan(packages, progress, update=options.update, cached=options.hub_cache)
            _agree(downloads, options)
            download.run(downloads, progress)
        progress.finished(folder=str(weights_folder()), packages=[package.name for package in packages])
    if not options.json:
        print(f"{', '.join(package.name for package in packages)}: whole, in {weights_folder()}")
    return 0


def _verify(options: argparse.Namespace) -> int:
    """Check what is here by its hashes, or without any by its form. Raises `UserError` if something is damaged."""
    chosen = [store.status(package) for package in options.packages or EVERY]
    here = [status.package for status in chosen if status.state != "absent"]
    if not here:
        store.find(chosen[0].package)
    with ProgressBar(as_json=options.json) as progress:
        with only_process_in(weights_folder()), disk.user_errors():
            findings = [check(package, progress, record_hashes=options.record) for package in here]
        for finding in findings:
            if not options.json:
                print(_sentence(finding))
        faults = [f"{finding.package.name}/{file} ({why})" for finding in findings for file, why in finding.faults]
        if faults:
            damaged = [finding.package.name for finding in findings if finding.faults]
            raise UserError(
                "weights-damaged",
                f"Damaged: {'; '.join(faults)}.",
                f"Run `python -m backend weights download {' '.join(damaged)}`: it downloads these again.",
            )
        progress.finished(packages={finding.package.name: finding.basis for finding in findings})
    return 0


def _agree(downloads: "Sequence[Download]", options: argparse.Namespace) -> None:
    """Show what would be downloaded, and under which licences. Raises `UserError` unless the person agrees."""
    from ..weights import download, hub  # noqa: PLC0415 - as above

    wanted = [each for each in downloads if each.files]
    if not wanted:
        return
    out = sys.stderr if options.json else sys.stdout
    for each in wanted:
        package = each.package
        print(f"{package.name}: {amount(each.size)}, {package.licence} ({package.licence_url})", file=out)
        print(f"    {package.purpose}", file=out)
        if package.terms:
            print(f"    {package.terms}", file=out)
        print(f"    from {hub.page(package)}, revision {each.record.revision[:12]}; {_page_licence(each)}", file=out)
    with disk.user_errors():
        needed, free = download.space(downloads)
    print(f"{amount(needed)} to be downloaded into {weights_folder()}; {amount(free)} are free there", file=out)
    if options.agree:
        _require_known_licences(wanted)
    elif not sys.stdin.isatty():
        raise UserError(
            "agreement-needed",
            "Nothing was downloaded: nobody agreed to the licences.",
            "Read them, and say so by the option --agree.",
        )
    elif not agrees("Download these under their licences?"):
        raise UserError("agreement-needed", "Nothing was downloaded.", "Start again if you want them after all.")


def _require_known_licences(downloads: "Sequence[Download]") -> None:
    """Raises `UserError` if a page names another licence than the catalogue, to which `--agree` agrees."""
    for each in downloads:
        package, named = each.package, each.record.licence
        if named and named.lower() != (package.licence_there or package.licence).lower():
            raise UserError(
                "licence-changed",
                f"The page of {package.repository} names the licence “{named}” instead of {package.licence}.",
                f"Read that page. To agree, run `python -m backend weights download {package.name}` in a terminal, "
                "without --agree.",
            )


def _page_licence(download: "Download") -> str:
    named = download.record.licence
    return f"its page names the licence “{named}”" if named else "its page names no licence, or was not read"


def _sentence(finding: Finding) -> str:
    how = {
        "hub": f"verified against the hub's revision {finding.revision[:12]}",
        "here": "as it was when its hashes were recorded here; not verified against the hub",
        "form": "present, not verified against the hub; checked by safetensors' own header and sizes",
    }
    return f"{finding.package.name}: {'damaged' if finding.faults else how[finding.basis]}"


def _as_json(status: store.Status) -> dict[str, object]:
    package = status.package
    return {
        "name": package.name,
        "repository": package.repository,
        "purpose": package.purpose,
        "licence": package.licence,
        "licence_url": package.licence_url,
        "bytes": status.bytes,
        "optional": package.optional,
        "terms": package.terms,
        "state": status.state,
        "missing": list(status.missing),
        "trouble": status.trouble.sentence if status.trouble else "",
    }
