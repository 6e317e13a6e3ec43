"""Pages of a store for people, and how a run at work is shown."""
