# SPDX-License-Identifier: GPL-3.0-or-later
"""What the hub is asked, and what it answers, also when that is not what one hoped for.

Imported only for a download, since it needs huggingface_hub. A token is sent only where HF_TOKEN is set: nothing
here needs one, and one that was once saved for the hub is no business of a mirror.
"""

import os
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

PATIENCE = 20  # seconds in which an answer has to begin, and to go on


def endpoint() -> str:
    """The hub's address: the environment variable HF_ENDPOINT where a mirror is wanted."""
    return (os.environ.get("HF_ENDPOINT") or hosts.HUB).rstrip("/")


def page(package: Package) -> str:
    """The address of the package's own page, for a person."""
    return f"{endpoint()}/{package.repository}"


def address(package: Package, revision: str, file: str) -> str:
    """Where the bytes of a file are."""
    return hf_hub_url(package.repository, file, revision=revision, endpoint=endpoint())


def headers() -> dict[str, str]:
    """What a request for a file carries. The bytes have to come as they are: their number is known beforehand."""
    return {**build_hf_headers(token=_token(), library_name="hi3dgen"), "Accept-Encoding": "identity"}


def ask(package: Package, revision: str = "") -> Record:
    """The package as the hub has it, at `revision` or at its newest: commit, licence, sizes and hashes.

    Raises UserError where there is no answer, or one of which nothing can be made.
    """
    with plainly(package):
        try:
            info = HfApi(endpoint=endpoint(), token=_token(), library_name="hi3dgen").model_info(
                package.repository, revision=revision or None, files_metadata=True, timeout=PATIENCE
            )
            return _record(package, info)
        except (ValueError, TypeError, KeyError, AttributeError) as error:  # JSON of another kind, or none
            raise not_the_hub(package) from error


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
        raise _lacks(package, f"has no file {absent[0]}, or tells no size of it")
    if not info.sha:
        raise ValueError("no revision")
    licence = info.card_data.license if info.card_data is not None else None
    return Record(package.repository, info.sha, licence if isinstance(licence, str) else "", entries)


@contextmanager
def plainly(package: Package) -> Generator[None]:
    """Turns what goes wrong between here and the hub into UserError."""
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
        raise _lacks(package, "no longer has the revision that was downloaded here first") from error
    except RemoteEntryNotFoundError as error:
        raise _lacks(package, "lacks a file that it had announced") from error
    except RepositoryNotFoundError as error:
        raise _lacks(package, "is not there, or is shown only to some") from error
    except HfHubHTTPError as error:
        raise _refused(package, error.response.status_code) from error
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise UserError(
            "no-network",
            f"{endpoint()} cannot be reached ({type(error).__name__}: {error}).",
            "Check the connection, and where you set them HTTPS_PROXY and HF_ENDPOINT. Start again: it goes on where "
            "it was.",
        ) from error


def not_the_hub(package: Package) -> UserError:
    """What to raise where something answered that is no hub, as the sign-in page of a network does."""
    return UserError(
        "not-the-hub",
        f"{endpoint()} answered with a web page, or with nothing that makes sense, where {package.repository} belongs.",
        "A proxy or a network's sign-in page is in between: sign in by a browser, or set HTTPS_PROXY or HF_ENDPOINT.",
    )


def _refused(package: Package, status: int) -> UserError:
    if status == 401 and _token():
        return UserError(
            "hub-refused",
            f"{endpoint()} does not accept the token in HF_TOKEN.",
            "Unset it, for these weights need none, or set a valid one.",
        )
    if status in {401, 404}:  # who sends no token is told 401 of what is not there
        return _lacks(package, "is not there, or is shown only to some")
    return UserError(
        "hub-refused",
        f"{endpoint()} refused {package.repository} with the HTTP status {status}.",
        "Start again later: it goes on where it was. If it stays so, try a mirror (HF_ENDPOINT) or another proxy.",
    )


def _lacks(package: Package, what: str) -> UserError:
    return UserError(
        "hub-lacks",
        f"The repository {package.repository} on {endpoint()} {what}.",
        "Where HF_ENDPOINT names a mirror, try without it. `weights download --update` takes the newest revision; "
        "a newer version of Hi3DGen may know where the files went.",
    )


def _token() -> str | Literal[False]:
    return os.environ.get("HF_TOKEN") or False
