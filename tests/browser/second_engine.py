"""A second engine beside axe: IBM's Equal Access checker, fetched once with npm, in the one version with this hash.

`python -m tests.browser.second_engine` fetches it beforehand.
"""

import hashlib
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGE = "accessibility-checker-engine"
VERSION = "4.0.34"
SHA512 = (
    "9c613b8f9808ffdd7840b82dd6d15c8ccf640abe042b1dc7c5cb6c644f01a1b3"
    "9b62642bf94a18b0a75654ba301b8407081ec6fc5d0faebde44f028434f1eb70"
)
ARCHIVE = Path(sys.prefix) / f"{PACKAGE}-{VERSION}.tgz"


class NotThere(Exception):
    """It can't be fetched, or is not what it must be."""


def script() -> str:
    """Return the engine as a script that makes `ace`. Raise NotThere, with one plain line."""
    if not ARCHIVE.exists():
        _fetch()
    if hashlib.sha512(ARCHIVE.read_bytes()).hexdigest() != SHA512:
        raise NotThere(f"{ARCHIVE} is not {PACKAGE} {VERSION} as it was published. Delete it and try again.")
    with tarfile.open(ARCHIVE) as archive:
        return archive.extractfile("package/ace.js").read().decode()


def _fetch() -> None:
    with tempfile.TemporaryDirectory(dir=ARCHIVE.parent) as folder:
        try:
            subprocess.run(
                ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"],
                cwd=folder,
                capture_output=True,
                check=True,
                timeout=120,
            )
            os.replace(Path(folder) / ARCHIVE.name, ARCHIVE)  # other workers see all of it, or nothing
        except (OSError, subprocess.SubprocessError) as error:
            problem = f"npm could not fetch {PACKAGE} {VERSION} ({type(error).__name__})"
            raise NotThere(f"{problem}. Install npm, and check the internet connection.") from None


if __name__ == "__main__":
    try:
        script()
    except NotThere as error:
        sys.exit(str(error))
