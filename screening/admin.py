"""Where Django's admin finds the desk: its pages register themselves on import."""

from screening.desk import audit_log, submissions, users  # noqa: F401 - they register themselves
