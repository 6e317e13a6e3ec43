"""`mapcap index`: from photos to a filled store."""
