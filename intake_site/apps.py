"""The admin with our own site, and the system checks."""

from django.contrib.admin.apps import AdminConfig


class DeskConfig(AdminConfig):
    default_site = "screening.desk.site.DeskSite"

    def ready(self) -> None:
        super().ready()
        from intake_site import checks  # noqa: F401 - they register themselves
