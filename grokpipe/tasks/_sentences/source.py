"""A file of sentences: its bytes, its text, its hash, and the rows that readers return."""

import hashlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from grokpipe.errors import InputError

DIGITS = 16  # hexadecimal digits of a hash that configurations hold


@dataclass(frozen=True)
class Source:
    """A file, and how to read it."""

    path: Path
    key: str
    """`task.path=x.csv`, as error messages name the file"""
    encoding: str | None = None
    """of its text; None: that of its format"""
    text: str | None = None
    """column of the sentences in a table; None: that of its format"""
    label: str | None = None
    """column of the classes in a table; None: that of its format"""

    def decoded(self, default: str) -> str:
        """Read the text of the file. Raises InputError that names the first byte that is not in the
        encoding."""
        encoding = self.encoding or default
        raw = self.path.read_bytes()
        try:
            return raw.decode("utf-8-sig" if encoding == "utf-8" else encoding)
        except LookupError as error:
            raise InputError(
                f"task.encoding={encoding}: no such encoding; valid: utf-8, latin-1, cp1252, utf-16"
                " and the others that Python knows"
            ) from error
        except UnicodeError as error:
            at = getattr(error, "start", 0)
            byte = f"byte {at:,} (0x{raw[at]:02x})" if at < len(raw) else "its end"
            likely = "utf-16" if raw[:2] in (BOM_UTF16_LE, BOM_UTF16_BE) else "latin-1 or cp1252"
            raise InputError(
                f"{self.key}: {byte} is not {encoding}; name its encoding, "
                f"as task.encoding={likely}"
            ) from error


@dataclass(frozen=True)
class Rows:
    """Sentences and the names of their classes, in the order of a file; empty where missing."""

    texts: list[str]
    labels: list[str]

    def first(self, count: int | None) -> "Rows":
        """The first `count` rows; all for None."""
        return Rows(self.texts[:count], self.labels[:count])


def digest(path: Path, key: str) -> str:
    """Hash the bytes of a file: the first 16 hexadecimal digits of SHA-256.

    Raises InputError, naming the configuration key `key`, for a file that cannot be read.
    """
    try:
        state = path.stat()
        return _digest(path, state.st_mtime_ns, state.st_size)
    except OSError as error:
        missing = isinstance(error, FileNotFoundError)
        why = "no such file" if missing else error.strerror or type(error).__name__
        raise InputError(f"{key}: {why}; must be a file of sentences and labels") from error


@lru_cache
def _digest(path: Path, changed: int, size: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]
