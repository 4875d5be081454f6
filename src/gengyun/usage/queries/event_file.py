"""Files of events, read in pieces: CSV and JSONL (plain or gzip), Parquet."""

import csv
import gzip
import io
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from gengyun.kernel.errors import Refusal

SNIFF_BYTES = 1_000_000
GZIP = b"\x1f\x8b"
PARQUET = b"PAR1"
csv.field_size_limit(10_000_000)


class EventFileUnreadable(Refusal):
    code = "event_file_unreadable"
    message = "%(file)s cannot be read: %(why)s"


@dataclass
class Piece:
    """Some rows: (line, row); `done` of `total` bytes of the file are read."""

    rows: list[tuple[int, dict[str, Any]]]
    done: int
    total: int


def read_pieces(path: Path, *, size: int) -> Generator[Piece, None, None]:
    """The rows of a file in pieces of `size`. Refuses what is no CSV, JSONL or Parquet file."""
    try:
        with path.open("rb") as raw:
            if raw.read(4) == PARQUET:
                yield from _parquet(path, size)
                return
            raw.seek(0)
            total = path.stat().st_size
            rows: list[tuple[int, dict[str, Any]]] = []
            for row in _lines(path, raw):
                rows.append(row)
                if len(rows) >= size:
                    yield Piece(rows, raw.tell(), total)
                    rows = []
            yield Piece(rows, total, total)
    except (OSError, EOFError, zlib.error) as error:
        raise EventFileUnreadable(file=path.name, why=str(error) or "it ends too early") from error
    except UnicodeDecodeError as error:
        raise EventFileUnreadable(
            file=path.name, why=f"byte {error.start} is neither UTF-8 nor GB18030"
        ) from error
    except csv.Error as error:
        raise EventFileUnreadable(file=path.name, why=str(error)) from error


def headers_of(path: Path) -> list[str]:
    """The columns of a file; of JSONL the names in its first 100 rows."""
    names: dict[str, None] = {}
    with closing(read_pieces(path, size=100)) as pieces:
        for _, row in next(pieces).rows:
            names.update(dict.fromkeys(row))
    return list(names)


def _lines(path: Path, raw: IO[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    with _unpacked(raw) as (body, start):
        name = path.name.lower().removesuffix(".gz")
        is_json = name.endswith((".jsonl", ".ndjson", ".json")) or start.lstrip()[:1] == b"{"
        with io.TextIOWrapper(body, encoding=_encoding(start), newline="") as text:
            yield from _jsonl(text) if is_json else _csv(path, text)


@contextmanager
def _unpacked(raw: IO[bytes]) -> Iterator[tuple[IO[bytes], bytes]]:
    """The file's bytes, unpacked by what it is and not by its name, with its beginning."""
    packed = raw.read(2) == GZIP
    raw.seek(0)
    plain: IO[bytes] = cast("IO[bytes]", gzip.GzipFile(fileobj=raw)) if packed else raw
    with plain:
        start = plain.read(SNIFF_BYTES)
        plain.seek(0)
        yield plain, start


def _encoding(start: bytes) -> str:
    try:
        # the last character may be cut
        start[: start.rfind(b"\n") + 1 or len(start)].decode("utf-8-sig")
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"


def _csv(path: Path, text: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.DictReader(text, restkey=None, restval="")
    if not reader.fieldnames or len(set(reader.fieldnames)) != len(reader.fieldnames):
        raise EventFileUnreadable(file=path.name, why="its first line must name the columns, once")
    for row in reader:
        row.pop(cast("str", None), None)  # cells beyond the last header
        yield reader.line_num, row


def _jsonl(text: io.TextIOWrapper) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text, start=1):
        if not line.strip():
            continue
        try:
            row = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            row = {"": f"{error}: {line.strip()[:200]}"}
        yield number, row if isinstance(row, dict) else {"": line.strip()[:200]}


def _parquet(path: Path, size: int) -> Iterator[Piece]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    total = path.stat().st_size
    try:
        with pq.ParquetFile(path) as file:
            done = 0
            for batch in file.iter_batches(batch_size=size):
                rows = list(enumerate(batch.to_pylist(), start=done + 1))
                done += len(rows)
                yield Piece(rows, total * done // max(1, file.metadata.num_rows), total)
    except pa.ArrowException as error:
        raise EventFileUnreadable(file=path.name, why=str(error)[:200]) from error
