"""What a WSGI server runs."""

import gc
import os

from django.core.wsgi import get_wsgi_application

from intake_site.limits import plain_forms

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intake_site.settings")

application = plain_forms(get_wsgi_application())

from intake_site.postgresql import limit_waiting  # noqa: E402 - these need Django to be set up
from screening import center  # noqa: E402
from screening.models import refuse_wrong_keys  # noqa: E402

limit_waiting()
refuse_wrong_keys()
center.refresh()

# What is there now stays for good: the garbage collector need not look through it again and again.
gc.collect()
gc.freeze()
