"""A page as a browser would take it."""

from html.parser import HTMLParser

EMPTY = {"meta", "link", "img", "br"}  # elements without an end


class Page(HTMLParser):
    """Its elements and text; every element must be closed."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.said = ""
        self.feed(content)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.said += data.replace("\N{NO-BREAK SPACE}", " ")

    def all(self, attribute: str) -> list[str]:
        return [of[attribute] or "" for _, of in self.elements if attribute in of]
