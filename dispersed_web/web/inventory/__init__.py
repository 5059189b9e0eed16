"""Jobs on the keys that were not launched here, in words."""
