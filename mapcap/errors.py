"""Errors that a user can cause and mend."""


class UserError(Exception):
    """A mistake in the input: the message names the file or option and says what to do next.

    The command line prints the message without a traceback and exits with code 2.
    """
