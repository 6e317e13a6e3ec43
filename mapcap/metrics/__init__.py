"""Figures of quality: plain functions of maps, captions and networks, without the store."""
