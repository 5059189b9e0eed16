"""The canaries: one of its own for every kind of secret that somebody gives to the product. What the product makes itself
(tokens, codes, links) the tests take from where it is shown."""

from __future__ import annotations

import base64

PUBLIC = "pk_sim_canary"  # no secret
FIRST_KEY = "sk_sim_Qa7canary0FirstKey"
SECOND_KEY = "sk_sim_Wb8canary1SecondKey"
OTHER_KEY = "sk_sim_Ec9canary2OtherKey"
WRONG_KEY = "sk_sim_Rd0canary3WrongKey"
REGISTRY = "Te1reg-canary?7f3a/+x"
VOLUME = "Yf2vol-canary%&9b4d"
ENV_VALUE = "Ug3env canary & with+odd=5b1c"
ANSWER = "Ih4answer<canary>6d2e"
COOKED = "Oj5cook-canary'8e3f\""
TEAM_SECRET = "Pk6team-canary\\4a9b"
CHANGED_SECRET = "Al7changed-canary^0c5d"
PASSWORD = "Sm8passwd-canary!91d2"
WRONG_PASSWORD = "Dn9wrongpw-canary#3e6f"
NEW_PASSWORD = "Fo0newpass-canary 7a1b"
RESET_PASSWORD = "Gp1reset-pass-canary-2c8d"
PRIVATE_BODY = "Hq2privateCanaryBody6c0e"
PRIVATE_KEY = f"-----BEGIN OPENSSH PRIVATE KEY-----\n{PRIVATE_BODY}\n-----END OPENSSH PRIVATE KEY-----"
WEBHOOK_PART = "Jr3webhookCanary4d7e"
WEBHOOK_PATH = f"/services/{WEBHOOK_PART}"
SMTP_PASSWORD = "Ks4smtp-canary-5e9f"
OIDC_SECRET = "canary-oidc-client-secret"
DJANGO_KEY = "Lt5django-key-canary-" + "c7d1e5f3a9b2" * 4
SEALING_KEY = b"Zu6sealing-key-canary-0123456789"
SEALING_TEXT = base64.b64encode(SEALING_KEY).decode()

INSTALLATION = {
    "DW_SECRET_KEY": DJANGO_KEY,
    "sealing key": SEALING_KEY.decode(),
    "sealing key in settings": SEALING_TEXT,
}
