"""The store: one SQLite file that holds any number of runs."""
