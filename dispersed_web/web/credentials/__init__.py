"""Pages of credentials: what they show, in words."""
