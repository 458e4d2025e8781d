"""Settings, from the environment; what is not set is safe. The README lists every variable."""

import os
from pathlib import Path

import dj_database_url
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from screening.help_lines import tel

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(os.environ.get("VAR_DIR", BASE_DIR / "var"))  # what a running site makes: key, database, static files


def env_flag(name: str, default: bool) -> bool:
    """on/off, true/false, yes/no or 1/0."""
    value = os.environ.get(name, "").strip().lower()
    if value in ("", "on", "true", "yes", "1", "off", "false", "no", "0"):
        return value in ("on", "true", "yes", "1") if value else default
    raise ImproperlyConfigured(f"{name} is {value!r}. Set it to on or off.")


def env_list(name: str, default: str = "") -> list[str]:
    """Values divided by commas."""
    return [value.strip() for value in os.environ.get(name, default).split(",") if value.strip()]


def secret_key() -> str:
    """SECRET_KEY, or what `make run` wrote on this machine."""
    key, where = os.environ.get("SECRET_KEY", ""), "SECRET_KEY"
    if not key:
        where = str(VAR_DIR / "secret_key")
        try:
            key = Path(where).read_text().strip()
        except FileNotFoundError:
            raise ImproperlyConfigured(
                "SECRET_KEY is not set. Set it to 50 or more random letters; on your own machine, `make run` makes one."
            ) from None
    if len(key) < 50:
        raise ImproperlyConfigured(f"{where} has {len(key)} letters. It needs 50 or more, at random.")
    return key


SECRET_KEY = secret_key()
SECRET_KEY_FALLBACKS = env_list("SECRET_KEY_FALLBACKS")  # old keys, while answers in progress still use them
DEBUG = env_flag("DEBUG", False)
HTTPS = env_flag("HTTPS", True)  # off only where nothing but this machine can reach the site
ALLOWED_HOSTS = env_list("ALLOWED_HOSTS", "localhost,127.0.0.1,[::1]")
CSRF_TRUSTED_ORIGINS = env_list("CSRF_TRUSTED_ORIGINS")

# The centre, as a person reads it. Without a phone, the pages send people to the national helpline.
CENTER_NAME = os.environ.get("CENTER_NAME", "Country Road Recovery Center")
CENTER_PHONE = os.environ.get("CENTER_PHONE", "")
CENTER_HOURS = os.environ.get("CENTER_HOURS", "")
try:
    tel(CENTER_PHONE)
except ValueError as error:
    raise ImproperlyConfigured(f"CENTER_PHONE: {error}") from None

LEAVE_URL = os.environ.get("LEAVE_URL", "https://www.weather.gov/")  # where "Leave now" leads: a page for anyone

INSTALLED_APPS = [
    "screening",
    "crispy_forms",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "intake_site.headers.more_headers",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "intake_site.urls"
WSGI_APPLICATION = "intake_site.wsgi.application"
CSRF_FAILURE_VIEW = "screening.views.csrf_failure"

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
                "screening.context.center",
            ],
        },
    }
]
CRISPY_TEMPLATE_PACK = "plain"  # our own, in templates/plain
CRISPY_ALLOWED_TEMPLATE_PACKS = ("plain",)
CRISPY_FAIL_SILENTLY = False

DATABASES = {"default": dj_database_url.config(default=f"sqlite:///{VAR_DIR / 'db.sqlite3'}")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        # Many writers wait for one another instead of failing; a row that was confirmed survives a loss of power;
        # what was deleted can't be read from the file.
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    }
elif DATABASES["default"]["ENGINE"].endswith("postgresql"):
    DATABASES["default"]["OPTIONS"] = {"pool": {"min_size": 1, "max_size": 10, "timeout": 5}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = os.environ.get("TIME_ZONE", "America/Chicago")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},  # nothing is ever uploaded
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

# Cookies: encrypted answers, staff sessions and form secrets. All end with the browser's session.
DRAFT_COOKIE_NAME = "__Host-draft" if HTTPS else "draft"
SESSION_COOKIE_NAME = "__Host-session" if HTTPS else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if HTTPS else "csrf"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_AGE = None
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"  # the cookie one can be read

SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = False  # the owner's other sites are not ours to bind
if env_flag("BEHIND_PROXY", False):  # a proxy in front ends TLS, and sets this header itself on every request
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"  # no-referrer would make browsers send "Origin: null", and Django refuse forms
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {  # everything from here, nothing inline; the admin too
    "DIRECTIVES": {
        "default-src": [NONE],
        **{kind: [SELF] for kind in ("script-src", "style-src", "img-src", "font-src", "connect-src", "form-action")},
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "INFO" if DEBUG else "WARNING"},
}
