"""Errors of the store that a user can cause and mend."""


class StoreError(Exception):
    """The database file cannot be used: the message names it and says what to do next."""


class Interrupted(Exception):
    """A query was stopped because its answer is no longer wanted."""
