#!/usr/bin/env python
"""Django's command line for this project."""

import logging
import os
import sys
from contextlib import suppress

if __name__ == "__main__":
    os.umask(0o077)  # a database or a secret that a command makes is for its own user
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intake_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        with suppress(OSError):  # a command that needs it will say so
            settings.VAR_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"{error}\n")
        sys.exit(2)
    except Exception:
        if settings.DEBUG:
            raise
        # What a command prints may be mailed by whatever runs it every night: no values, as in the log.
        logging.getLogger("intake_site").critical("The command failed. DEBUG=on shows the whole error.", exc_info=True)
        sys.exit(2)
