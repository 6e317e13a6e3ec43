"""Errors of the store that a user can cause and mend."""


class StoreError(Exception):
    """The database file cannot be used: the message names it and says what to do next."""
