"""Metrics: plain functions of maps, captions and networks, without the store."""
