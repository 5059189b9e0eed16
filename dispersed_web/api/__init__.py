"""The REST API: the only place that makes JSON. Views call the domain; serializers and documents say what it looks like."""
