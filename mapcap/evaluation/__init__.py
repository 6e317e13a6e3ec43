"""Where the metrics meet the store: reading, measuring, storing."""
