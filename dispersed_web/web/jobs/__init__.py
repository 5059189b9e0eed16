"""The table of jobs: rows, cells, columns, what can be done with several."""
