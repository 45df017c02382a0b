"""Words: lower-case runs of letters and digits with the apostrophes inside them; every other
character that is no space is a word of its own."""

import re

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """Split a sentence: `It's GREAT, 10/10!` is it's, great, `,`, 10, /, 10, `!`."""
    return WORD.findall(text.lower())
