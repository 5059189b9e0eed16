"""The views of the REST API: read, call the domain, render."""
