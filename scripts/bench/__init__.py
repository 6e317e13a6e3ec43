"""Measures how fast MapCap computes, each figure beside the plain or the published way."""
