"""Make sentences with classes for `task=sentences` from a package on PyPI.

The source distribution of vaderSentiment 3.3.2 (MIT; Hutto & Gilbert, ICWSM 2014) holds sentences
of four sources, each rated from −4 to 4 by at least 20 people. `polarity` makes the movie sentences
that grokpipe ships, with the sign of their mean rating as the class (37 of mean 0 are left out);
`source` all sentences, with their source.

    python examples/sentences.py polarity movies.parquet
    python examples/sentences.py source sources.parquet --sdist vaderSentiment-3.3.2.tar.gz
    python -m grokpipe task=sentences task.path=sources.parquet
"""

import argparse
import hashlib
import html
import io
import tarfile
from pathlib import Path

import pandas as pd
import pooch
import pyarrow as pa
import pyarrow.parquet as pq

URL = (
    "https://files.pythonhosted.org/packages/77/8c/"
    "4a48c10a50f750ae565e341e697d74a38075a3e43ff0df6f1ab72e186902/vaderSentiment-3.3.2.tar.gz"
)
SHA256 = "5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
INNER = "vaderSentiment-3.3.2/additional_resources/hutto_ICWSM_2014.tar.gz"
SOURCES = {
    "movies": "movieReviewSnippets",
    "tweets": "tweets",
    "products": "amazonReviewSnippets",
    "newspaper": "nytEditorialSnippets",
}


def sentences(sdist: Path, source: str) -> pd.DataFrame:
    """Read the sentences of one source: `text` and mean `rating`."""
    name = f"hutto_ICWSM_2014/{SOURCES[source]}_GroundTruth.txt"
    with tarfile.open(sdist) as outer, tarfile.open(fileobj=outer.extractfile(INNER)) as inner:
        lines = inner.extractfile(name).read().decode("utf-8").replace("\r\n", "\n").split("\n")
    rows = [line.split("\t") for line in lines if line]
    texts = [html.unescape(text).strip() for _, _, text in rows]
    return pd.DataFrame({"text": texts, "rating": [float(rating) for _, rating, _ in rows]})


def mixed(table: pd.DataFrame) -> pd.DataFrame:
    """Drop repeated sentences, and order the rest by the SHA-256 of the text.

    The published files have one class after the other; ordered by a hash, the first n rows are a
    fair draw, the same on any machine.
    """
    table = table.drop_duplicates("text")
    order = [hashlib.sha256(text.encode()).hexdigest() for text in table["text"]]
    return table.assign(order=order).sort_values("order").drop(columns="order")


def polarity(sdist: Path) -> pd.DataFrame:
    """Movie sentences, positive or negative."""
    table = sentences(sdist, "movies").query("rating != 0")
    names = table["rating"].gt(0).map({True: "positive", False: "negative"})
    return mixed(table.assign(label=names))[["text", "label"]]


def sources(sdist: Path) -> pd.DataFrame:
    """The sentences of all four sources, with their source."""
    tables = [sentences(sdist, name).assign(label=name) for name in SOURCES]
    return mixed(pd.concat(tables))[["text", "label"]]


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a small Parquet file, the same bytes each time with one version of pyarrow."""
    contents = io.BytesIO()
    plain = pa.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pq.write_table(plain, contents, compression="zstd", compression_level=19)
    path.write_bytes(contents.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("kind", choices=["polarity", "source"])
    parser.add_argument("to", type=Path, help="the Parquet file to write")
    parser.add_argument("--sdist", type=Path, help="vaderSentiment-3.3.2.tar.gz; else fetched")
    given = parser.parse_args()
    try:
        sdist = given.sdist or Path(pooch.retrieve(URL, f"sha256:{SHA256}"))
    except (OSError, ValueError) as error:
        parser.error(f"{URL}: cannot be fetched ({type(error).__name__}); give it as --sdist")
    if not sdist.is_file() or hashlib.sha256(sdist.read_bytes()).hexdigest() != SHA256:
        parser.error(f"{sdist}: not vaderSentiment-3.3.2.tar.gz (SHA-256 must be {SHA256})")
    table = polarity(sdist) if given.kind == "polarity" else sources(sdist)
    write(table, given.to)
    print(f"{given.to}: {len(table):,} sentences, {given.to.stat().st_size:,} bytes")
    print(table["label"].value_counts().to_string())


if __name__ == "__main__":
    main()
