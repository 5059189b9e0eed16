"""Settings, all from the environment (``DW_…``; the README has the table). Required ones fail at start with a sentence."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from whitenoise.compress import Compressor

from dispersed_web import env

BASE_DIR = Path(__file__).resolve().parent.parent
DATA_DIR = Path(env.text("DW_DATA_DIR", str(BASE_DIR / ".data")))
DEBUG = env.boolean("DW_DEBUG", False)
SECRET_KEY = env.text("DW_SECRET_KEY")
SECRET_KEY_FALLBACKS = env.items("DW_SECRET_KEY_FALLBACKS")
# How pages and logs name the product's commands to whoever runs it.
MANAGE = env.text("DW_MANAGE", "python manage.py")
# A copy of the database under another name only looks: it launches and stops nothing (see docs/operations.md).
INSTALLATION_ID = env.text("DW_INSTALLATION_ID").strip()
if not 1 <= len(INSTALLATION_ID) <= 64:  # as the database holds it; an empty one would be that of every copy
    raise ImproperlyConfigured(
        "DW_INSTALLATION_ID must have 1 to 64 characters, such as 32 random hex digits."
    )


# Where the product is and what it talks to -------------------------------------------------------------------------

PUBLIC_URL = env.text("DW_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/")
PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or "127.0.0.1"
HTTPS = PUBLIC_URL.startswith("https://")
ALLOWED_HOSTS = [PUBLIC_HOST, *env.items("DW_ALLOWED_HOSTS")]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

DISPERSED_URL = env.text("DW_DISPERSED_URL", "https://api.dispersed.com").rstrip("/")
# Only these hosts get real keys; everything else is a simulation and gets `pk_sim_` keys only, so that a mistyped
# address can never receive a signed request that would be valid at the real one (the host is not part of the signature).
DISPERSED_REAL_HOSTS = {"api.dispersed.com", "api.compute.x.io"}
DISPERSED_SIMULATED = urlsplit(DISPERSED_URL).hostname not in DISPERSED_REAL_HOSTS
if DEBUG and not DISPERSED_SIMULATED:
    raise ImproperlyConfigured(
        f"DW_DEBUG=1 is for development, not for jobs that cost money: {DISPERSED_URL} is the real Dispersed. "
        "Leave DW_DEBUG out, or set DW_DISPERSED_URL to a simulated one."
    )

KEYRING = env.keyring("DW_KEYS")  # the first key encrypts, all decrypt
# How often each process writes down what it used stored secrets for.
SECRET_USES_EVERY_S = 60.0


# Applications ------------------------------------------------------------------------------------------------------

INSTALLED_APPS = [
    "dispersed_web.accounts",
    "dispersed_web.teams",
    "dispersed_web.events",
    "dispersed_web.credentials",
    "dispersed_web.recipes",
    "dispersed_web.jobs",
    "dispersed_web.signals",
    "dispersed_web.autostop",
    "dispersed_web.notifications",
    "dispersed_web.web",
    "dispersed_web.api",
    "dispersed_web.supervisor",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "django_htmx",
    "csp",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "dispersed_web.web.request_facts.RequestFactsMiddleware",
    "dispersed_web.web.headers.HeadersMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dispersed_web.web.headers.BodyLimitMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dispersed_web.web.middleware.SessionAgeMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "dispersed_web.web.middleware.ReaderMiddleware",
    "dispersed_web.web.only_looks.OnlyLooksMiddleware",
]

ROOT_URLCONF = "dispersed_web.urls"
WSGI_APPLICATION = "dispersed_web.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dispersed_web.web.shell.shell",
            ],
        },
    },
]


# Rows: the truth ---------------------------------------------------------------------------------------------------

DATABASES = {"default": env.database("DW_DATABASE_URL", DATA_DIR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-us"
USE_I18N = False


# Nudges and cache: may vanish at any time ----------------------------------------------------------------------------

REDIS_URL = env.text("DW_REDIS_URL", "redis://127.0.0.1:6379/0")
_UNIX = REDIS_URL.startswith("unix://")
_SOCKET_TIMEOUTS = {"socket_timeout": 1, "socket_connect_timeout": 1}
CACHES = {
    "default": {
        "BACKEND": "dispersed_web.web.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "dw",
        "OPTIONS": _SOCKET_TIMEOUTS,
    }
}

CELERY_BROKER_URL = REDIS_URL.replace("unix://", "redis+socket://", 1) if _UNIX else REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    "socket_keepalive": not _UNIX,
    "health_check_interval": 25,
    "visibility_timeout": 300,
    # A nudge does not wait for a dead broker; without this it tries for six seconds while a page waits.
    "max_retries": 0,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 2
CELERY_RESULT_BACKEND = None
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = False
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_SOFT_TIME_LIMIT = 100
CELERY_TASK_TIME_LIMIT = 130
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False  # what the console e-mail backend prints is no warning
CELERY_TASK_SEND_SENT_EVENT = False
CELERY_WORKER_SEND_TASK_EVENTS = False
# How often each pass is made, in seconds, by beat and the workers as by reconcile alone. Every one finds its work by query,
# so a lost, late or doubled one does no harm.
PASS_EVERY_S = {
    "autostop": 1,
    "sync": 1,
    "launches": 2,
    "stops": 2,
    "notices": 5,
    "chain": 5,
    "history": 5,
    "logs": 15,
    "budgets": 30,
    "receiver": 60,
    "audit": 60,
    "market": 60,
    "credentials": 3600,
    "pruning": 3600,
    "keys": 24 * 3600,
}
# What beat asks for in one message: to send and take one costs more than to look.
_TOGETHER = {1: "each_second", 2: "each_two_seconds", 5: "each_five_seconds"}
# `expires` keeps a backlog from building up while no worker runs.
CELERY_BEAT_SCHEDULE = {
    f"sweep_{name}": {
        "task": f"dispersed_web.tasks.sweep_{name}",
        "schedule": every_s,
        "options": {"expires": max(every_s, 5)},
    }
    for name, every_s in {_TOGETHER.get(s, name): s for name, s in PASS_EVERY_S.items()}.items()
}
CELERY_BEAT_SCHEDULE_FILENAME = str(DATA_DIR / "beat-schedule")


# People ------------------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("email", "name")},
    },
    {"NAME": "dispersed_web.accounts.passwords.NotTooLong"},
    {"NAME": "dispersed_web.accounts.breached.NotBreached"},
]
# Where new passwords are looked up among those that were stolen elsewhere; nowhere without it.
BREACHED_PASSWORDS_URL = env.service_url("DW_BREACHED_PASSWORDS_URL", "")
PASSWORD_RESET_TIMEOUT = 3600
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "web:home"
# Attempts are counted by the address that the proxy saw, not by the proxy's own.
ALLAUTH_TRUSTED_PROXY_COUNT = int(env.boolean("DW_BEHIND_PROXY", False))
ACCOUNT_ADAPTER = "dispersed_web.web.people.account_adapter.AccountAdapter"
_FORMS = "dispersed_web.web.people.account_forms"
ACCOUNT_FORMS = {
    "login": f"{_FORMS}.SignInForm",
    "signup": f"{_FORMS}.SignUpForm",
    "add_email": f"{_FORMS}.AddEmailForm",
    "change_password": f"{_FORMS}.ChangePasswordForm",
    "set_password": f"{_FORMS}.SetPasswordForm",
    "reset_password": f"{_FORMS}.ResetPasswordForm",
    "reset_password_from_key": f"{_FORMS}.ResetPasswordKeyForm",
    "reauthenticate": "dispersed_web.web.people.mfa_forms.ConfirmPasswordForm",
}
# Counted in the database instead (accounts/throttles.py): the cache may be away, and is forgiven that.
ACCOUNT_RATE_LIMITS = dict.fromkeys(("login", "login_failed", "signup", "reset_password", "reauthenticate"))
# Who may make an account: anybody (open), who was invited to a team (invitation), nobody but by the operator (closed).
SIGNUP = env.choice("DW_SIGNUP", "invitation", ("open", "invitation", "closed"))
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_REAUTHENTICATION_TIMEOUT = 30 * 60
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True  # only in the browser where the account was made
ACCOUNT_CHANGE_EMAIL = True  # one address a person; the old one counts until the new one is confirmed
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_PREVENT_ENUMERATION = "strict"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"

MFA_ADAPTER = "dispersed_web.web.people.mfa_adapter.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_TOTP_ISSUER = "Dispersed Web"
MFA_TOTP_TOLERANCE = 1  # half minutes by which a phone's clock may differ; a code opens once all the same
MFA_RECOVERY_CODES_SHOW_ONCE = True
# The pages ask by themselves (web/people/sudo.py), and carry no form over in the session.
MFA_REAUTHENTICATION_REQUIRED = False
# Nobody signs in before the first address is confirmed. A new one counts for nothing until it is, so that people with a
# second factor may change theirs, too.
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_FORMS = {
    "activate_totp": "dispersed_web.web.people.mfa_forms.SetUpAppForm",
    "authenticate": "dispersed_web.web.people.mfa_forms.CodeForm",
    "reauthenticate": "dispersed_web.web.people.mfa_forms.ConfirmCodeForm",
    "add_webauthn": "dispersed_web.web.people.mfa_forms.AddKeyForm",
    "edit_webauthn": "dispersed_web.web.people.mfa_forms.RenameKeyForm",
    "authenticate_webauthn": "dispersed_web.web.people.mfa_forms.KeyForm",
    "reauthenticate_webauthn": "dispersed_web.web.people.mfa_forms.ConfirmKeyForm",
}
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = PUBLIC_HOST in ("localhost", "127.0.0.1")
# Once per request is too often; SessionAgeMiddleware notes it now and then.
USERSESSIONS_TRACK_ACTIVITY = False

# Sign-in by OpenID Connect, where one is configured
SOCIALACCOUNT_ADAPTER = "dispersed_web.web.people.social_adapter.SocialAdapter"
# Whoever the provider vouches for by a confirmed address is the person with that address here.
SOCIALACCOUNT_EMAIL_AUTHENTICATION = True
SOCIALACCOUNT_EMAIL_AUTHENTICATION_AUTO_CONNECT = True
SOCIALACCOUNT_STORE_TOKENS = False
# A form that is sent may not lead to another host (form-action), so a link does.
SOCIALACCOUNT_LOGIN_ON_GET = True
OIDC_NAME = env.text("DW_OIDC_NAME", "Single sign-on")
OIDC_ISSUER = env.text("DW_OIDC_ISSUER", "").rstrip("/")
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "OAUTH_PKCE_ENABLED": True,
        "APPS": [
            {
                "provider_id": "oidc",
                "name": OIDC_NAME,
                "client_id": env.text("DW_OIDC_CLIENT_ID"),
                "secret": env.text("DW_OIDC_CLIENT_SECRET"),
                "settings": {"server_url": OIDC_ISSUER},
            }
        ]
        if OIDC_ISSUER
        else [],
    }
}

SESSION_ENGINE = "django.contrib.sessions.backends.db"
SESSION_COOKIE_AGE = 7 * 24 * 3600  # also the longest time from sign-in, however busy (web/middleware.py)
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_NAME = "__Host-sessionid" if HTTPS else "sessionid"
CSRF_COOKIE_SECURE = HTTPS
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrftoken" if HTTPS else "csrftoken"


# What leaves for people and programs: mails and webhooks ---------------------------------------------------------------

EMAIL_HOST = env.text("DW_EMAIL_HOST", "")
EMAIL_BACKEND = (
    "dispersed_web.notifications.smtp.EmailBackend"
    if EMAIL_HOST
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_PORT = env.integer("DW_EMAIL_PORT", 587)
EMAIL_HOST_USER = env.text("DW_EMAIL_USER", "")
EMAIL_HOST_PASSWORD = env.text("DW_EMAIL_PASSWORD", "")
EMAIL_USE_TLS = env.boolean("DW_EMAIL_TLS", True)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.text("DW_EMAIL_FROM", "Dispersed Web <dispersed-web@localhost>")
# Webhooks go to the public internet by https only; these are excepted from both.
WEBHOOK_ALLOWED_HOSTS = env.hosts("DW_WEBHOOK_ALLOWED_HOSTS")


# Browser -----------------------------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_SSL_REDIRECT = HTTPS
# Health is asked for inside the network; the API refuses plain http itself.
SECURE_REDIRECT_EXEMPT = ["^healthz", "^readyz", "^api/v1/"]
# A proxy that ends TLS must set this header itself and drop the client's own.
SECURE_PROXY_SSL_HEADER = (
    ("HTTP_X_FORWARDED_PROTO", "https") if env.boolean("DW_BEHIND_PROXY", False) else None
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
# The editor of a recipe with many inputs and variables has more fields than the usual thousand.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 3000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
DEFAULT_EXCEPTION_REPORTER = "dispersed_web.web.reports.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "dispersed_web.web.reports.NoValues"

STATIC_URL = "/static/"
STATIC_ROOT = Path(env.text("DW_STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
# The maps of vendors' programs are large, and nobody but their developers asks for them.
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")


# REST API ----------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dispersed_web.api.authentication.TokenAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dispersed_web.api.parsing.BoundedJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["dispersed_web.api.throttling.TokenThrottle"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dispersed_web.api.errors.handle",
    # Whoever counts callers by address must not believe the whole of X-Forwarded-For.
    "NUM_PROXIES": int(env.boolean("DW_BEHIND_PROXY", False)),
    "UNAUTHENTICATED_USER": None,
    "COERCE_DECIMAL_TO_STRING": True,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Dispersed Web",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
}


# Logs: one line an entry; never a URL of an outgoing request, never a secret --------------------------------------------

LOG_FORMAT = env.choice("DW_LOG_FORMAT", "line", ("line", "json"))
LOG_LEVEL = env.choice("DW_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"secrets": {"()": "dispersed_web.credentials.masking.MaskSecrets"}},
    "formatters": {
        "line": {"()": "dispersed_web.log_lines.LineFormatter"},
        "json": {"()": "dispersed_web.log_lines.JsonFormatter"},
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": LOG_FORMAT, "filters": ["secrets"]}
    },
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        # Instead of Django's own handlers, which know nothing of secrets
        "django": {"handlers": [], "propagate": True},
        "django.server": {"handlers": [], "propagate": True},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.beat": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
    },
}
