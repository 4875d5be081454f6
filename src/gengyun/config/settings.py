"""All settings. What a deployment may set comes from the environment; see docs/settings.md."""

import os
import secrets
from pathlib import Path

from platformdirs import user_data_dir

from gengyun.config.database import database

PACKAGE = Path(__file__).resolve().parent.parent


def _flag(name: str, default: bool) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _secret(folder: Path) -> str:
    """The deployment's secret: from the environment, else made once in the data folder."""
    if given := os.environ.get("GENGYUN_SECRET_KEY"):
        return given
    path = folder / "secret_key"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            return path.read_text()
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
    return path.read_text()


# everything a deployment owns lies in one folder: database, inbox, lake, uploads, secret
DATA_DIR = Path(os.environ.get("GENGYUN_DATA") or user_data_dir("gengyun", False)).resolve()
LAKE_DIR = DATA_DIR / "lake"
MEDIA_ROOT = DATA_DIR / "files"

DEBUG = _flag("GENGYUN_DEBUG", False)
SECRET_KEY = _secret(DATA_DIR)
ALLOWED_HOSTS = os.environ.get("GENGYUN_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [o for o in os.environ.get("GENGYUN_ORIGINS", "").split(",") if o]
# where people open the product: links in mails and messages begin with it
PUBLIC_ADDRESS = os.environ.get("GENGYUN_ADDRESS") or next(iter(CSRF_TRUSTED_ORIGINS), "")

# real: messages leave. null: none does. recorded: each is kept as a file under "recorded" in the
# data folder. For copies of the data that must not write to anybody
SENDING = os.environ.get("GENGYUN_SENDING", "real")
if SENDING not in {"real", "null", "recorded"}:
    raise ValueError("GENGYUN_SENDING is real, null or recorded")

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "axes",
    "csp",
    "django_tasks",
    "gengyun.kernel",
    "gengyun.team",
    "gengyun.customers",
    "gengyun.tasks",
    "gengyun.usage",
    "gengyun.revenue",
    "gengyun.engagement",
    "gengyun.health",
    "gengyun.churn",
    "gengyun.alerts",
    "gengyun.portfolio",
    "gengyun.sop",
    "gengyun.web",
]

MIDDLEWARE = [
    "gengyun.web.clock.MomentMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "gengyun.web.middleware.PersonMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "gengyun.web.middleware.RefusalMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "gengyun.config.urls"
WSGI_APPLICATION = "gengyun.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [PACKAGE / "web" / "templates"],
        "APP_DIRS": False,
        "OPTIONS": {
            "environment": "gengyun.web.jinja.environment",
            "context_processors": ["gengyun.web.context.page"],
        },
    },
]

DATABASE_URL = os.environ.get("GENGYUN_DATABASE_URL", "")
DATABASES = {"default": database(DATABASE_URL, DATA_DIR)}
# where acknowledged events wait: a file of its own, or a table of the PostgreSQL database
INBOX_PATH = DATABASE_URL or DATA_DIR / "inbox.sqlite3"

AUTH_USER_MODEL = "team.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "web:login"
LOGIN_REDIRECT_URL = "web:today"

# five wrong passwords for one account from one address: wait a quarter of an hour
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = 0.25
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_FORM_FIELD = "username"
AXES_USERNAME_CALLABLE = "gengyun.team.queries.people.login_name"
AXES_LOCKOUT_CALLABLE = "gengyun.web.views.login.locked_out"
AXES_ENABLE_ACCESS_FAILURE_LOG = False

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [PACKAGE / "locale"]
USE_I18N = True
USE_TZ = True
TIME_ZONE = os.environ.get("GENGYUN_TIME_ZONE", "Asia/Shanghai")

STATIC_URL = "/static/"
STATICFILES_DIRS = [PACKAGE / "web" / "static"]
STATIC_ROOT = None  # nothing is collected, see below
WHITENOISE_USE_FINDERS = True  # no collectstatic step: files are served from the package
WHITENOISE_AUTOREFRESH = DEBUG

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_HTTPONLY = True
# behind TLS (any real deployment) set GENGYUN_HTTPS=1; plain http on localhost keeps working
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _flag("GENGYUN_HTTPS", False)
if _flag("GENGYUN_HTTPS", False):
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 31_536_000
SESSION_COOKIE_AGE = 14 * 86_400
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
# largest file a person may upload for an import
GENGYUN_IMPORT_MAX_BYTES = int(os.environ.get("GENGYUN_IMPORT_MAX_MB", "100")) * 1024 * 1024
# largest file that may lie with a task
TASK_FILE_MB = int(os.environ.get("GENGYUN_TASK_FILE_MB", "20"))

# one request of the tracking API, after decompression
TRACKING_MAX_BODY_BYTES = int(os.environ.get("GENGYUN_TRACKING_MAX_KB", "8192")) * 1024
# more waiting than this: clients are told to come back (429) until the worker has caught up
TRACKING_INBOX_MAX_BYTES = int(os.environ.get("GENGYUN_INBOX_MAX_MB", "2048")) * 1024 * 1024
# pages computed at the same time by one web process
WEB_THREADS = int(os.environ.get("GENGYUN_WEB_THREADS", "4"))

TASKS = {
    "default": {"BACKEND": "gengyun.kernel.jobs.backend.LeaseBackend"},
}

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("GENGYUN_LOG_LEVEL", "WARNING")},
}
