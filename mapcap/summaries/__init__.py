"""The sentences that stand for a class."""
