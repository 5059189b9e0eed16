"""The one error shape of the REST API."""
