# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hub is asked, and what it answers, errors among it.

Imported only for a download, since it needs huggingface_hub. A token is sent only if HF_TOKEN is set: nothing here
needs one, and a mirror must not get one that was once saved for the hub.
"""

import os
import re
from collections.abc import Generator
from contextlib import contextmanager
from typing import Literal

import httpx2
from huggingface_hub import HfApi, hf_hub_url
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.hf_api import ModelInfo
from huggingface_hub.utils import build_hf_headers

from .. import hosts
from ..errors import UserError
from .catalogue import Package
from .record import Entry, Record

TIMEOUT = 20  # seconds in which an answer has to begin, and to go on
_COMMIT = re.compile("[0-9a-f]{40}")


def page(package: Package) -> str:
    """The address of the package's own page, for a person."""
    return f"{_name()}/{package.repository}"


def address(package: Package, revision: str, file: str) -> str:
    """The address of a file's bytes."""
    return hf_hub_url(package.repository, file, revision=revision, endpoint=hosts.hub())


def headers() -> dict[str, str]:
    """The headers of a request for a file. The bytes have to come uncompressed: their number is known beforehand."""
    return {**build_hf_headers(token=_token(), library_name="hi3dgen"), "Accept-Encoding": "identity"}


def ask(package: Package, revision: str) -> Record:
    """The package as the hub has it at `revision`, a commit or a branch: the commit, licence, sizes and hashes.

    Raises UserError if there is no answer, or an invalid one.
    """
    with user_errors(package):
        try:
            info = HfApi(endpoint=hosts.hub(), token=_token(), library_name="hi3dgen").model_info(
                package.repository, revision=revision, files_metadata=True, timeout=TIMEOUT
            )
            record = _record(package, info)
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # not JSON, or of another form
            raise not_the_hub(package) from error
    if _COMMIT.fullmatch(revision) and record.revision != revision:
        raise _another_revision(package, revision, record.revision)
    return record


def _record(package: Package, info: ModelInfo) -> Record:
    entries: dict[str, Entry] = {}
    for sibling in info.siblings or []:
        if sibling.rfilename in package.files and sibling.size is not None:
            if sibling.lfs is not None:
                entry = Entry(sibling.size, "sha256", sibling.lfs.sha256, verified=False)
            else:
                entry = Entry(sibling.size, "git-sha1", sibling.blob_id or "", verified=False)
            entries[sibling.rfilename] = entry
    absent = [file for file in package.files if file not in entries]
    if absent:
        raise _lacks(package, f"does not list the file {absent[0]} with its size")
    if not info.sha:
        raise ValueError("no revision")
    licence = info.card_data.license if info.card_data is not None else None
    named = licence if isinstance(licence, str) and licence.isprintable() else ""
    return Record(package.repository, info.sha, named, entries)


@contextmanager
def user_errors(package: Package) -> Generator[None]:
    """Turns the errors of a connection to the hub into UserError."""
    try:
        yield
    except OfflineModeIsEnabled as error:
        raise UserError(
            "no-network", "HF_HUB_OFFLINE is set, so nothing is downloaded.", "Unset it and start again."
        ) from error
    except GatedRepoError as error:
        raise UserError(
            "hub-gated",
            f"The hub gives {package.repository} only to those who agreed to its terms.",
            f"Agree on {page(package)} in a browser, set HF_TOKEN to a token of your account, and start again.",
        ) from error
    except RevisionNotFoundError as error:
        raise _lacks(package, "does not have the revision that is asked for") from error
    except RemoteEntryNotFoundError as error:
        raise _lacks(package, "does not have a file that it lists") from error
    except RepositoryNotFoundError as error:
        raise _lacks(package, "is not there, or is shown only to some") from error
    except HfHubHTTPError as error:
        raise _refused(package, error.response.status_code) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UserError(
            "no-network",
            f"{_name()} cannot be reached ({type(error).__name__}: {error}).",
            "Check the connection, and HTTPS_PROXY and HF_ENDPOINT if set. Start again: it goes on where it was.",
        ) from error


def not_the_hub(package: Package) -> UserError:
    """The error to raise if something else than a hub answered, such as the sign-in page of a network."""
    return UserError(
        "not-the-hub",
        f"{_name()} answered with a web page, or with something invalid, instead of {package.repository}.",
        "A proxy or a network's sign-in page is in between: sign in by a browser, or set HTTPS_PROXY or HF_ENDPOINT.",
    )


def _refused(package: Package, status: int) -> UserError:
    if status == 401 and _token():
        return UserError(
            "hub-refused",
            f"{_name()} does not accept the token in HF_TOKEN.",
            "Unset it, for these weights need none, or set a valid one.",
        )
    if status in {401, 404}:  # without a token the hub answers 401 for what is not there
        return _lacks(package, "is not there, or is shown only to some")
    return UserError(
        "hub-refused",
        f"{_name()} refused {package.repository} with the HTTP status {status}.",
        "Start again later: it goes on where it was. If it stays so, try a mirror (HF_ENDPOINT) or another proxy.",
    )


def _lacks(package: Package, what: str) -> UserError:
    return UserError(
        "hub-lacks",
        f"The repository {package.repository} on {_name()} {what}.",
        "If HF_ENDPOINT names a mirror, try without it. `weights download --update` takes the revision that this "
        "version of Hi3DGen names; a newer version may know where the files went.",
    )


def _another_revision(package: Package, wanted: str, given: str) -> UserError:
    return UserError(
        "hub-altered",
        f"{_name()} gave revision {given:.12} of {package.repository} instead of {wanted:.12}.",
        "If HF_ENDPOINT names a mirror, try without it.",
    )


def _name() -> str:
    return hosts.shown(hosts.hub())


def _token() -> str | Literal[False]:
    token = os.environ.get("HF_TOKEN")
    if token and not (token.isascii() and token.isprintable()):  # no header can hold it
        raise UserError("hub-refused", "HF_TOKEN holds no valid token.", "Unset it, for these weights need none.")
    return token or False
