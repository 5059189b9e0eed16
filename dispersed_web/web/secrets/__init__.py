"""Pages of secrets: what they show, in words."""
