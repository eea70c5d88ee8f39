"""Files of events: found by path or pattern, told apart by name and content, and read by the engine line by line.

NDJSON and CSV are read where they lie, also compressed with gzip; of SQLite files the columns that are asked for are
written to a CSV file in the job's own folder first.
"""

import csv
import glob
import gzip
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Literal, cast

from jobdesk import Context, Reject

Kind = Literal["ndjson", "csv", "sqlite"]
_SUFFIXES: dict[str, Kind] = {
    ".csv": "csv", ".tsv": "csv", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".db": "sqlite",
    ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson", ".log": "ndjson",
}  # fmt: skip
SUFFIXES = tuple(_SUFFIXES)
_DELIMITERS = ",;\t|"
_SQLITE = b"SQLite format 3\x00"
LINE_BYTES = 1_000_000
"""The longest line that is read."""
MOST_FILES = 100_000


@dataclass(slots=True)
class Group:
    """Files that one statement reads: NDJSON, or CSV with one header (its columns and what stands between them)."""

    kind: Literal["ndjson", "csv"]
    files: list[Path] = field(default_factory=list)
    columns: tuple[str, ...] = ()
    delimiter: str = ""


def found(sources: Sequence[str], home: Path) -> list[Path]:
    """The files that paths and patterns stand for, each once; a relative one is below the home.

    Raises:
        Reject: a path without a pattern leads nowhere.
    """
    files: dict[Path, None] = {}
    for source in sources:
        path = Path(source).expanduser()
        path = path if path.is_absolute() else home / path
        if path.is_file():
            files[path.resolve()] = None
        elif glob.has_magic(str(path)):
            hits = sorted(Path(hit) for hit in glob.iglob(str(path), recursive=True))  # noqa: PTH207  a Path has no pattern from its root
            files |= {hit.resolve(): None for hit in hits if hit.is_file()}
        elif path.is_dir():
            raise Reject(f"{path} is a folder: write {path}/*.ndjson for the files in it", reason="source")
        else:
            raise Reject(f"there is no file {path} to read events from", reason="source")
        if len(files) > MOST_FILES:
            raise Reject(f"{source} stands for more than {MOST_FILES:,} files: read them in parts", reason="source")
    return list(files)


def kind_of(file: Path, wanted: str) -> Kind:
    """What a file is: as the settings say, else by its content (SQLite) and its name; NDJSON in doubt."""
    if wanted != "auto":
        return cast(Kind, wanted)
    with file.open("rb") as stream:
        if stream.read(len(_SQLITE)) == _SQLITE:
            return "sqlite"
    name = file.with_suffix("") if file.suffix.lower() == ".gz" else file
    kind = _SUFFIXES.get(name.suffix.lower(), "ndjson")
    return "ndjson" if kind == "sqlite" else kind


def groups(
    ctx: Context, files: Sequence[Path], wanted: str, table: str, columns: Sequence[str]
) -> tuple[list[Group], dict[Path, Path]]:
    """How the engine is to read these files, and which file of the job's own stands for which SQLite file."""
    made: dict[tuple[object, ...], Group] = {}
    stands_for: dict[Path, Path] = {}
    for number, file in enumerate(files):
        try:
            kind = kind_of(file, wanted)
            if kind == "sqlite":
                copy = ctx.workdir / f"{number}.csv"
                _copied(ctx, file, table, columns, copy)
                stands_for[copy] = file
                _add_csv(made, copy)
            elif kind == "csv":
                _add_csv(made, file)
            else:
                made.setdefault(("ndjson",), Group("ndjson")).files.append(file)
        except (OSError, EOFError) as error:
            raise Reject(f"{file} cannot be read ({error})", reason="source") from None
    return [one for one in made.values() if one.kind == "ndjson" or one.columns], stands_for


def _add_csv(made: dict[tuple[object, ...], Group], file: Path) -> None:
    group = _header(file)
    made.setdefault((group.delimiter, group.columns), group).files.append(file)


def opened(file: Path) -> IO[bytes]:
    """The file, decompressed."""
    return cast(IO[bytes], gzip.open(file, "rb")) if file.suffix.lower() == ".gz" else file.open("rb")


def _header(file: Path) -> Group:
    with opened(file) as stream:
        first = stream.readline(LINE_BYTES).decode("utf-8-sig", "replace")
    tab = file.name.lower().removesuffix(".gz").endswith(".tsv")
    delimiter = "\t" if tab else max(_DELIMITERS, key=first.count)
    names = next(csv.reader([first], delimiter=delimiter), [])
    columns: list[str] = []
    for number, name in enumerate(names, 1):
        plain = name.strip() or f"column {number}"
        columns.append(plain if plain not in columns else f"{plain} ({number})")
    return Group("csv", columns=tuple(columns), delimiter=delimiter)


def _copied(ctx: Context, file: Path, table: str, columns: Sequence[str], target: Path) -> None:
    """Write those of the columns that a table has to a CSV file.

    Raises:
        Reject: the table is missing, or the file is no database.
    """
    try:
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=30)) as source:
            source.text_factory = lambda raw: raw.decode("utf-8", "replace")
            tables = [
                row[0] for row in source.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
            ]
            if table not in tables and len(tables) != 1:
                listed = ", ".join(tables[:20]) or "none"
                raise Reject(f"{file.name} has no table {table}: it has {listed}; set analytics.table", reason="source")
            name = _quoted(table if table in tables else tables[0])
            there = [row[1] for row in source.execute(f"PRAGMA table_info({name})")]
            wanted = [column for column in columns if column in there]
            with target.open("w", encoding="utf-8", newline="") as stream:
                writer = csv.writer(stream)
                writer.writerow(wanted)
                if not wanted:
                    return
                rows = source.execute(f"SELECT {', '.join(map(_quoted, wanted))} FROM {name}")
                while some := rows.fetchmany(5000):
                    ctx.checkpoint()
                    writer.writerows(some)
    except sqlite3.Error as error:
        raise Reject(f"{file} cannot be read as SQLite ({error})", reason="source") from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def line_numbers(file: Path, group: Group, wanted: set[str], column: int | None) -> Iterator[tuple[str, int]]:
    """Where texts stand that the engine could not read: the first line of each.

    Args:
        wanted: whole lines of NDJSON, or values of one column of CSV.
    """
    left = set(wanted)
    with opened(file) as stream:
        if group.kind == "ndjson":
            for number, raw in enumerate(stream, 1):
                if (line := raw.decode("utf-8", "replace").rstrip("\r\n")) in left:
                    left.discard(line)
                    yield line, number
                if not left:
                    return
        elif column is not None:
            reader = csv.reader((raw.decode("utf-8", "replace") for raw in stream), delimiter=group.delimiter)
            try:
                for row in reader:
                    if column < len(row) and row[column] in left:
                        left.discard(row[column])
                        yield row[column], reader.line_num
                    if not left:
                        return
            except csv.Error:
                return


def json_path(name: str) -> str:
    """`a.b` as the path of a field: $."a"."b"."""
    return "$" + "".join(f".{json.dumps(part)}" for part in name.split("."))
