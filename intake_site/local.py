"""`make run`: sets up the site on this machine, and serves it for its own browser only.

The first start creates the secrets, the database and the collected static files in var/; later ones create only what
is missing or out of date.
"""

import hashlib
import os
import secrets
import socket
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"


def port_from(text: str) -> int:
    """Return the port to serve on; exit with one plain line if it is no port, or is taken."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        sys.exit(f"PORT must be a number from 1 to 65535, not {text!r}. For example: make run PORT=8001")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, int(text)))
        except PermissionError:
            sys.exit(f"Port {text} needs special rights. Choose a higher one: make run PORT=8001")
        except OSError:
            sys.exit(f"Port {text} is in use. Stop the program that uses it, or choose another: make run PORT=8001")
    return int(text)


def make_secret(path: Path) -> None:
    """Write random characters that only this user can read, unless the file exists."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size:  # an empty one is left from a start that was cut short
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(48))


def make_first_account() -> None:
    """Create a first staff account if there is none, and print its random password this once."""
    from django.contrib.auth import get_user_model

    users = get_user_model().objects
    if users.exists():
        return
    password = secrets.token_urlsafe(12)
    users.create_superuser("staff", password=password)
    print("\nYour first staff account. The password is shown only now; please write it down:")
    print(f"    user name  staff\n    password   {password}\n", flush=True)


def collect_static_files(static_root: Path) -> None:
    """Collect and compress the static files if they, or the packages, have changed."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for finder in get_finders():
        for name, storage in finder.list([]):
            changed = storage.get_modified_time(name).timestamp()
            digest.update(f"{name} {storage.size(name)} {changed}\n".encode())
    stamp = static_root / ".collected"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0)
    stamp.write_text(digest.hexdigest())


def main() -> None:
    port = port_from(os.environ.get("PORT") or "8000")
    os.umask(0o077)  # what is created here holds answers and secrets
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intake_site.settings")
    os.environ.setdefault("HTTPS", "off")
    os.environ.setdefault("SECOND_FACTOR", "off")
    for name in ("SECRET_KEY", "DATA_KEYS"):
        if not os.environ.get(name):
            make_secret(Path(os.environ.get("VAR_DIR", ROOT / "var")) / name.lower())

    import django
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import call_command
    from django.db import DatabaseError

    try:
        django.setup()
        from screening.center import facts
        from screening.models import refuse_wrong_keys

        settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        call_command("migrate", interactive=False, verbosity=0)
        refuse_wrong_keys()
        make_first_account()
        collect_static_files(settings.STATIC_ROOT)
    except ImproperlyConfigured as error:
        sys.exit(str(error))
    except (DatabaseError, OSError) as error:
        sys.exit(f"The site could not be set up: {error}".strip())

    print(f"Open  http://{HOST}:{port}/        the screening\n      http://{HOST}:{port}/admin/  for staff")
    if not facts().phone:
        print(
            "Your center has no phone number yet: the pages send people to the national helpline. The desk asks for it."
        )
    print("Stop with Ctrl-C.", flush=True)
    command = [sys.executable, "-m", "gunicorn", "--config=python:intake_site.server", f"--bind={HOST}:{port}"]
    command += ["intake_site.wsgi"]
    os.execv(sys.executable, command + (["--reload"] if settings.DEBUG else []))  # noqa: S606 - no shell: our own words and a number


if __name__ == "__main__":
    main()
