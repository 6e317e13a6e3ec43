"""Text as SQLite can hold it."""


def storable(text: str) -> str:
    """Return the text with lone surrogates escaped (`\\udc80`): UTF-8 cannot hold them."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
