"""Measures `mapcap browse` on a store as large as one likes, through a real pseudo-terminal."""
