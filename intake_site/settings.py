"""Settings, from the environment; what is not set is safe. docs/settings.md lists every variable."""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR", BASE_DIR / "var"))  # what a running site writes: key, database, static files


def env_flag(name: str, default: bool) -> bool:
    """on/off, true/false, yes/no or 1/0."""
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "on", "true", "yes", "1", "off", "false", "no", "0"):
        return value in ("on", "true", "yes", "1") if value else default
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to on or off.")


def env_list(name: str, default: str = "") -> list[str]:
    """Comma-separated values."""
    return [value.strip() for value in os.environ.get(name, default).split(",") if value.strip()]


def env_number(name: str, default: int, most: int, least: int = 1) -> int:
    """A whole number from `least` to `most`."""
    value = os.environ.get(name, "").strip() or str(default)
    if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
        raise ImproperlyConfigured(f"{name} is {value!r}. Set it to a number from {least} to {most}.")
    return int(value)


def secrets(name: str, *, many: bool) -> list[str]:
    """Return the secrets in a variable, one or `many` comma-separated, or those in the file that `make run` wrote."""
    where, text = name, os.environ.get(name, "")
    if not text:
        where = str(VAR_DIR / name.lower())
        try:
            text = Path(where).read_text()
        except PermissionError:
            raise ImproperlyConfigured(f"{where} can't be read. Run this as the user of the site.") from None
        except FileNotFoundError:
            raise ImproperlyConfigured(
                f"{name} is not set. Set it to 50 or more random characters; on your own machine, `make run` makes one."
            ) from None
    values = text.replace(",", " ").split() if many else [text.strip()]
    for secret in values or [""]:
        if len(secret) < 50:
            raise ImproperlyConfigured(f"{where} has {len(secret)} characters. It needs 50 or more, at random.")
    return values


SECRET_KEY = secrets("SECRET_KEY", many=False)[0]
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # old keys, while answers in progress still use them
# Keys that encrypt answers, contact details and notes, newest first. Data under a lost key is lost.
DATA_KEYS = secrets("DATA_KEYS", many=True)
if {SECRET_KEY, *SECRET_KEY_FALLBACKS} & set(DATA_KEYS):
    raise ImproperlyConfigured(
        "DATA_KEYS holds a key that SECRET_KEY uses too. Each needs random characters of its own."
    )
DEBUG = env_flag("DEBUG", False)
HTTPS = env_flag("HTTPS", True)  # off only where nothing but this machine can reach the site
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

RETENTION_DAYS = env_number("RETENTION_DAYS", 90, most=3650)  # what was saved is erased after these
CONTACT_RETENTION_DAYS = env_number(
    "CONTACT_RETENTION_DAYS", 14, most=3650
)  # how to reach a person, after their case was closed

# Processes of the server: one for each core, up to eight.
WORKERS = env_number("WORKERS", min(os.cpu_count() or 1, 8), most=40)

BLIND_PERCENT = env_number("BLIND_PERCENT", 0, most=100, least=0)  # of new submissions; see Submission.blind

# Staff. The second factor is off only where nothing but this machine can reach the site.
SECOND_FACTOR = env_flag("SECOND_FACTOR", True)
OTP_TOTP_ISSUER = "Program fit"  # beside the name of the account, in the app on the phone
SITE_URL = (os.environ.get("SITE_URL") or f"https://{(*ALLOWED_HOSTS, 'localhost')[0]}").rstrip("/")  # in mail, FHIR
try:
    is_address = (
        re.fullmatch(r"https?://[\w.*-]*(\[[0-9a-f:.]+\])?(:[0-9]+)?", SITE_URL, re.ASCII)
        and urlsplit(SITE_URL).port != 0
    )
except ValueError:
    is_address = False
if not is_address:
    raise ImproperlyConfigured(
        f"SITE_URL is {SITE_URL!r}. Set it to where people find the site: https://www.example.com"
    )

SECURITY_CONTACT = os.environ.get("SECURITY_CONTACT", "")  # where to report a vulnerability: mailto:..., https://...
if not re.match(r"(mailto:.+@|https://.|tel:\+[0-9]|$)", SECURITY_CONTACT):
    raise ImproperlyConfigured("SECURITY_CONTACT must begin with mailto:, https:// or tel:+")

INSTALLED_APPS = [
    "screening",
    "crispy_forms",
    "intake_site.apps.DeskConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "intake_site.headers.more_headers",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",  # what follows is of use only to pages
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "intake_site.limits.limit_body",  # before anything reads a form
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",  # it says how long a response is
    "intake_site.compression.CompressionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "screening.desk.sessions.SessionTimeoutMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]

ROOT_URLCONF = "intake_site.urls"
WSGI_APPLICATION = "intake_site.wsgi.application"
CSRF_FAILURE_VIEW = "intake_site.urls.csrf_failure"

FORM_RENDERER = "screening.forms.BidiRenderer"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "screening.context_processors.center",
            ],
        },
    }
]
CRISPY_TEMPLATE_PACK = "plain"  # our own, in templates/plain
CRISPY_ALLOWED_TEMPLATE_PACKS = ("plain",)
CRISPY_FAIL_SILENTLY = False

POOLER = env_flag("POOLER", False)  # a pooler like pgbouncer stands before PostgreSQL
try:
    url = os.environ.get("DATABASE_URL") or f"sqlite:///{VAR_DIR / 'db.sqlite3'}"
    DATABASES = {"default": dj_database_url.parse(url)}
except ValueError:
    raise ImproperlyConfigured("DATABASE_URL can't be read. Write postgresql://user:password@host/name") from None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
options = DATABASES["default"].setdefault("OPTIONS", {})
match DATABASES["default"].get("ENGINE", "").rpartition(".")[2]:
    case "sqlite3":
        DATABASES["default"]["CONN_MAX_AGE"] = (
            5  # seconds: to connect costs as much as a page, but a file can be replaced
        )
        # Many writers wait for one another instead of failing; a row that was confirmed survives a loss of power;
        # what was deleted can't be read from the file; and REPLACE fires the audit log's trigger against deleting, too.
        # Only a writer waits for 20 s: each page would, if the file was emptied below the running site.
        pragmas = "PRAGMA busy_timeout=1000; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;"
        pragmas += " PRAGMA recursive_triggers=ON; PRAGMA busy_timeout=20000;"
        options |= {"transaction_mode": "IMMEDIATE", "init_command": pragmas}
    case "postgresql":
        from intake_site.postgresql import pool

        options |= {"pool": pool(WORKERS), "connect_timeout": 2}
        DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
        # Such a pooler may give each transaction another connection, in which a cursor of the last one is unknown.
        DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = POOLER
    case _:
        raise ImproperlyConfigured("DATABASE_URL must begin with postgresql:// or sqlite://")

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TIME_ZONE", "America/Chicago")
USE_TZ = True

STATIC_URL = "static/"
WHITENOISE_ALLOW_ALL_ORIGINS = False
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever uploaded
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# The largest honest form holds two texts of 4,000 characters. No form sends a file, so none is taken.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
FILE_UPLOAD_HANDLERS: list[str] = []

# Cookies: encrypted answers, staff sessions and form secrets. All end with the browser's session.
DRAFT_COOKIE_NAME = "__Host-draft" if HTTPS else "draft"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None
SESSION_ENGINE = "screening.desk.sessions"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 8 * 3600  # a working day, where the browser stays open
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # the cookie one can be read

SECURE_SSL_REDIRECT = HTTPS
SECURE_REDIRECT_EXEMPT = ["^(healthz|readyz)$"]  # who watches may ask the server itself
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False  # the owner's other sites are not ours to restrict
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]  # the checks that ask for these two
BEHIND_PROXY = env_flag("BEHIND_PROXY", False)  # a proxy in front ends TLS, and sets the headers below itself
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer would make browsers send "Origin: null", and Django refuse forms
X_FRAME_OPTIONS = "DENY"

# Mail, to staff and about errors: without a host, none is sent.
EMAIL_BACKEND = "intake_site.mail.EmailBackend"
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = env_number("EMAIL_PORT", 587, most=65535)
EMAIL_HOST_USER = os.environ.get("EMAIL_USER", "")
EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_PASSWORD", "")
EMAIL_USE_SSL = EMAIL_PORT == 465  # encrypted from the first byte; else by STARTTLS
EMAIL_USE_TLS = env_flag("EMAIL_TLS", True) and not EMAIL_USE_SSL
EMAIL_TIMEOUT = 10
EMAIL_SUBJECT_PREFIX = ""
SERVER_EMAIL = DEFAULT_FROM_EMAIL = os.environ.get("EMAIL_FROM", EMAIL_HOST_USER)
ADMINS = [("", address) for address in env_list("ERROR_MAIL_TO")]

LOG_FORMAT = os.environ.get("LOG_FORMAT") or "text"
if LOG_FORMAT not in ("text", "json"):
    raise ImproperlyConfigured(f"LOG_FORMAT is {LOG_FORMAT!r}. Set it to text or json.")
formatter = "logging.Formatter" if DEBUG else f"intake_site.logs.{'NoValues' if LOG_FORMAT == 'text' else 'JsonLines'}"
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"words": {"()": formatter}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "words"},
        "mail": {"class": "intake_site.logs.ErrorMail", "formatter": "words", "level": "ERROR"},
    },
    "loggers": {"django": {"level": "INFO"}, "django.server": {"level": "INFO"}},  # they have handlers of their own
    "root": {
        "handlers": ["console", "mail"] if EMAIL_HOST and ADMINS else ["console"],
        "level": "INFO" if DEBUG else "WARNING",
    },
}
