"""Teams, their members and roles, invitations, API tokens, and which installation may act."""
