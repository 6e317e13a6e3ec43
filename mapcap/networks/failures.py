"""Other libraries' errors in one line."""


def describe(error: Exception, limit: int = 300) -> str:
    """Return what an error says in one line of at most `limit` characters, or else its type."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= limit else f"{text[: limit - 3]}..."
