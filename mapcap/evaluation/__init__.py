"""Where the figures of quality meet the store: reading, measuring, storing."""
