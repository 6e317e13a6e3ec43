"""Captions as texts: tidied, judged, and what a cleaned word is."""
