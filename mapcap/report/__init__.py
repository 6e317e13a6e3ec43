"""A run as one HTML file: read without network, without scripts, and on paper."""
