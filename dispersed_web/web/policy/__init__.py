"""The auto-stop policy and held stops, in words."""
