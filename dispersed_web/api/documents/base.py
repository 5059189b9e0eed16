"""The OpenAPI document as a whole: its overview, how to sign in, and the answers that every call may meet."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiResponse

from dispersed_web import commands
from dispersed_web.accounts.throttles import RULES
from dispersed_web.api.authentication import TokenAuthentication
from dispersed_web.api.serializers.base import ErrorSerializer
from dispersed_web.api.throttling import CALLS

WRONG = RULES["api_token"].limit
OVERVIEW = f"""
Launch, watch, extend and stop the jobs of your team on Dispersed.

**Token.** Make one under *Profile and security*, or with `{commands.named("create_api_token")}`. It belongs to you and
to one team, which is the team that every call is about. What it may do is what its scope *and* your role there
allow: `read` only looks, `operate` also launches, extends and stops, `admin` also does what admins do. No token does
what only owners do. When you leave the team, it is dead at once. An admin makes tokens of the team itself under *Team*,
*API tokens*: they belong to no person and act under their own name. Every token ends after a year at most; you, or the
team's admins, hear a week and a day before.

```
export DW={settings.PUBLIC_URL}/api/v1
export TOKEN=dwp_…
curl -H "Authorization: Bearer $TOKEN" $DW/me
```

**Faults** have one shape:
`{{"error": {{"code": "…", "message": "…", "fields": {{"env.0.name": "…"}}}}}}`. Programs look
at the status and `code`; `message` is for people; `fields` names each input at fault. Unknown fields are refused.
These codes may come from any call; each call names its own:

- 400 `invalid` (`fields` says which inputs), `parse_error` (the body is no JSON)
- 401 `not_authenticated` (no token came), `invalid_token` (it is mistyped, revoked, expired, or its person left)
- 403 `scope_too_small`, `role_too_small`, `not_allowed` (what the token, or its person, may not do), `mfa_required` (the
  person needs a second factor), `https_required` (the call came by plain http)
- 404 `not_found` (nothing is there, or nothing that the token may see)
- 409 `only_looks` (this is a copy of another installation's database, which changes nothing at Dispersed)
- 413 `too_large`, 429 `throttled`, 500 `internal_error`

**Values.** Times are ISO 8601 in UTC. Money is US dollars as text, estimated until the cloud bills. Durations name their
unit: `lifetime_s`, `max_timeout_run_ms`. What belongs to another team answers 404 like what does not exist.

**Bounds.** Each token may make {CALLS} calls in a minute (`429` with `Retry-After`), and {WRONG} wrong tokens may come
from one address in a minute. A body may have
{settings.DATA_UPLOAD_MAX_MEMORY_SIZE // 1024} KiB.
"""


class TokenScheme(OpenApiAuthenticationExtension):
    """How the OpenAPI document tells of it."""

    target_class = TokenAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "bearerFormat": "dwp_…",
            "description": "An API token. Make one under Profile and security; it is bound to one team and shown once.",
        }


_FAULTS = {
    400: "Not valid; `fields` says which inputs.",
    401: "No token, or one that is not valid (any more).",
    403: "The token's scope or its person's role does not allow it.",
    404: "Nothing of that id in the token's team, or nothing that the token's person may see.",
    409: "The state of things does not allow it; `code` says why.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    429: "Too many calls; wait for `Retry-After` seconds.",
    500: "A fault of ours, which was logged.",
    503: "The cloud cannot be asked now.",
}
_ALWAYS = (401, 403, 429, 500)


def answers(good: dict[int, Any], *faults: int, **words: str) -> dict[int, Any]:
    """The good answers, the named faults and those that every call may meet; ``f409="…"`` says more of one."""
    answers = dict(good)
    for status in sorted({*faults, *_ALWAYS}):
        answers[status] = OpenApiResponse(
            ErrorSerializer, description=words.get(f"f{status}", _FAULTS[status])
        )
    return answers
