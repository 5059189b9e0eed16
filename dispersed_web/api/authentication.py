"""Who calls the REST API: a person's token for one team."""
