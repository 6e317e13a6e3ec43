"""The options of `mapcap index`, a file for each panel of its `--help`."""
