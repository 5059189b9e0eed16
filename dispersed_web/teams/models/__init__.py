"""The rows of teams and of what belongs to them."""

from dispersed_web.teams.models.autostop_policy import AutostopPolicy, a_week_from_now
from dispersed_web.teams.models.installation import Installation, new_installation_code
from dispersed_web.teams.models.keys import ApiToken, TeamSshKey
from dispersed_web.teams.models.people import Invitation, Membership
from dispersed_web.teams.models.team import Team

__all__ = [
    "ApiToken",
    "AutostopPolicy",
    "Installation",
    "Invitation",
    "Membership",
    "Team",
    "TeamSshKey",
    # Migrations name these two.
    "a_week_from_now",
    "new_installation_code",
]
