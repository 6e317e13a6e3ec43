"""The tables of a run, written for other programs."""
