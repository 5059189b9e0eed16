"""What the OpenAPI document says of who belongs to the team."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema

from dispersed_web.api.documents.base import answers
from dispersed_web.api.serializers.people import (
    InvitationListSerializer,
    InvitedSerializer,
    InviteSerializer,
    MemberListSerializer,
    OneMemberSerializer,
    RemovedSerializer,
    RemoveSerializer,
    RoleChangeSerializer,
)

_NO_MEMBER = "No such member of the token's team."
_NO_INVITATION = "No such waiting invitation of the token's team."
_FORBIDDEN = (
    "The token may not administer, or its person may not. `not_by_token`: it concerns an owner, which is for owners in "
    "the browser."
)
_MANY = "`throttled`, `too_many`: 20 invitations a day for each person or token of the team. Wait for `Retry-After` seconds."
_JSON = '-H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json"'

list_members = extend_schema(
    operation_id="list_members",
    tags=["Team"],
    summary="List the team's members",
    description="""
The people in the team, owners first. Tokens of the team are not among them.

```
curl -H "Authorization: Bearer $TOKEN" $DW/members
```
""",
    responses=answers({200: MemberListSerializer}),
)

get_member = extend_schema(
    operation_id="get_member",
    tags=["Team"],
    summary="Look at a member",
    description="""
With their running jobs, of which must be said what becomes of them before they go, and who may take these. Needs the scope
`admin`.

```
curl -H "Authorization: Bearer $TOKEN" $DW/members/$MEMBER
```
""",
    responses=answers({200: OneMemberSerializer}, 404, f404=_NO_MEMBER),
)

change_member = extend_schema(
    operation_id="change_member",
    tags=["Team"],
    summary="Give a member another role",
    description=f"""
Up to `admin`, with a token of the scope `admin`. A person confirms in the browser who they are before they change roles. A
token cannot, so it makes no owner and changes none.

```
curl -X PATCH $DW/members/$MEMBER {_JSON} -d '{{"role": "viewer"}}'
```
""",
    request=RoleChangeSerializer,
    responses=answers({200: OneMemberSerializer}, 400, 404, 409, 413, 415, f403=_FORBIDDEN, f404=_NO_MEMBER),
    examples=[OpenApiExample("Only to look", request_only=True, value={"role": "viewer"})],
)

remove_member = extend_schema(
    operation_id="remove_member",
    tags=["Team"],
    summary="Take a member out of the team",
    description=f"""
They are out at once, with their tokens and the invitations they sent. First comes a decision on each of their running jobs:
hand it over to another member, or stop it. It is done as a whole or not at all. `GET $DW/members/$MEMBER` lists the jobs.

```
curl $DW/members/$MEMBER/remove {_JSON} \\
  -d '{{"jobs": [{{"job_id": "…", "decision": "hand_over", "to": "bob@example.org"}}], "others": {{"decision": "stop"}}}}'
```
""",
    request=RemoveSerializer,
    responses=answers(
        {200: RemovedSerializer},
        400,
        404,
        409,
        413,
        415,
        f403=_FORBIDDEN,
        f404=_NO_MEMBER,
        f409="`undecided`: say what becomes of each running job. `outdated`: their jobs changed meanwhile, look again. "
        "`is_you`: leave in the browser. `no_member`: they went meanwhile.",
    ),
    examples=[
        OpenApiExample(
            "One job goes on, the others end",
            request_only=True,
            value={
                "jobs": [
                    {
                        "job_id": "0a3c3b0e-6c1b-4a3a-9d5e-0d5a3a1c2b4d",
                        "decision": "hand_over",
                        "to": "bob@example.org",
                    }
                ],
                "others": {"decision": "stop"},
            },
        ),
        OpenApiExample("Nothing runs", request_only=True, value={}),
    ],
)

list_invitations = extend_schema(
    operation_id="list_invitations",
    tags=["Team"],
    summary="List the waiting invitations",
    description="""
Those that were neither accepted nor withdrawn, the newest first, without their links. Needs the scope `admin`.

```
curl -H "Authorization: Bearer $TOKEN" $DW/invitations
```
""",
    responses=answers({200: InvitationListSerializer}),
)

invite = extend_schema(
    operation_id="invite",
    tags=["Team"],
    summary="Invite somebody",
    description=f"""
For one e-mail address, one use and three days. The link is mailed to the address, or stands once in this answer (`way`:
`link`): whoever passes it on vouches for who gets it. Up to `admin`, with a token of the scope `admin`; the owners are told.
An invitation holds only while who sent it could still send it: it dies with a token of the team that sent it.

```
curl $DW/invitations {_JSON} -d '{{"email": "bob@example.org", "role": "member"}}'
```
""",
    request=InviteSerializer,
    responses=answers(
        {
            201: OpenApiResponse(
                InvitedSerializer, description="It is stored; `mail_fault` says if it was not mailed."
            )
        },
        400,
        409,
        413,
        415,
        f403=_FORBIDDEN,
        f409="`is_member`: they are in the team. `is_invited`: they are invited, send that one again.",
        f429=_MANY,
    ),
    examples=[
        OpenApiExample("By mail", request_only=True, value={"email": "bob@example.org", "role": "member"}),
        OpenApiExample(
            "A link to pass on",
            request_only=True,
            value={"email": "bob@example.org", "role": "viewer", "way": "link"},
        ),
    ],
)

send_invitation_again = extend_schema(
    operation_id="send_invitation_again",
    tags=["Team"],
    summary="Send an invitation again",
    description=f"""
A new invitation in the place of this one, for another three days and on the same way. The old link is dead.

```
curl $DW/invitations/$INVITATION/send-again {_JSON} -d '{{}}'
```
""",
    request=None,
    responses=answers(
        {201: OpenApiResponse(InvitedSerializer, description="The new one, with another id.")},
        404,
        409,
        f403=_FORBIDDEN,
        f404=_NO_INVITATION,
        f409="`gone`: it was accepted or withdrawn meanwhile.",
        f429=_MANY,
    ),
)

withdraw_invitation = extend_schema(
    operation_id="withdraw_invitation",
    tags=["Team"],
    summary="Withdraw an invitation",
    description=f"""
Its link is dead at once. The answer lists those that still wait.

```
curl $DW/invitations/$INVITATION/withdraw {_JSON} -d '{{}}'
```
""",
    request=None,
    responses=answers({200: InvitationListSerializer}, 404, f403=_FORBIDDEN, f404=_NO_INVITATION),
)
