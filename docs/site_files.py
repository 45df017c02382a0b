"""Hook of mkdocs: pictures beside the stored runs, which lie outside docs/, come into the site."""

import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]
OUTSIDE = re.compile(r"(?<=\]\()\.\./(?=outputs/reference/\S+\.png\))")
"""what goes from a link such as ](../outputs/reference/…/figure.png)"""


def on_files(files: Files, config: Any) -> Files:
    """Add each picture that a page links to."""
    for page in list(files.documentation_pages()):
        for link in re.findall(rf"{OUTSIDE.pattern}([^)]+)", page.content_string):
            if files.get_file_from_path(link) is None:
                files.append(File.generated(config, link, abs_src_path=str(ROOT / link)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Link to the pictures where the site has them."""
    return OUTSIDE.sub("", markdown)
