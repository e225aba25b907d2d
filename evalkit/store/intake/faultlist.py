"""The list of faults with the values that are wrong: for the owner of the secure folder, never for `outputs`."""

from __future__ import annotations

import csv
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from itertools import islice
from pathlib import Path
from typing import TextIO

from evalkit.errors import NotReleasable
from evalkit.store.intake.examination import Examination, Fault
from evalkit.store.work import in_words

SHOWN_ON_A_PAGE = 5_000
"""Faults that a page lists before it refers to the CSV file: a browser is slow with more rows."""


def write_faults_csv(examination: Examination, file: str | Path) -> None:
    """Write every fault as a line of a CSV file of mode 0600; NotReleasable inside a folder called outputs."""
    with _for_the_owner(file) as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Fault._fields)
        writer.writerows(examination.faults())


def write_faults_html(examination: Examination, file: str | Path) -> None:
    """Write the same as a page that needs no other file and no network, and runs nothing."""
    with _for_the_owner(file) as stream:
        stream.write(_HEAD)
        stream.write(f"<h1>Faults in {escape(examination.folder.name)}</h1>\n")
        stream.write("<p>This page holds people's data. Keep it in the secure folder.</p>\n")
        stream.write(f"<pre>{escape(examination.in_words())}</pre>\n")
        stream.writelines(_listed(examination))
        stream.write("</main>\n</html>\n")


def keep_out_of_outputs(file: str | Path) -> Path:
    """Return the path; NotReleasable where it lies inside a folder called outputs."""
    path = Path(os.path.abspath(file))
    if any(part.casefold() == "outputs" for part in (*path.parent.parts, *path.resolve().parent.parts)):
        raise NotReleasable(
            f"{path.name} holds people's data and may not be written inside a folder called 'outputs', "
            "from which reports are released. Choose a place in the secure folder."
        )
    return path


@contextmanager
def _for_the_owner(file: str | Path) -> Iterator[TextIO]:
    """A text file that only its owner may read, whole or not there at all."""
    path = keep_out_of_outputs(file)
    with in_words(path.name):
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as stream:
                yield stream
            os.replace(temporary, path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def _listed(examination: Examination) -> Iterator[str]:
    found = examination.faults()
    first = list(islice(found, SHOWN_ON_A_PAGE))
    more = sum(1 for _ in found)
    if not first:
        yield "<p>No fault was found.</p>\n"
        return
    yield "<table>\n<caption>One line for each fault. Row is the line of the file; the header is line 1.</caption>\n"
    yield "<thead><tr>"
    yield from (f'<th scope="col">{name}</th>' for name in Fault._fields)
    yield "</tr></thead>\n<tbody>\n"
    for fault in first:
        cells = "".join(f"<td>{'' if cell is None else escape(str(cell))}</td>" for cell in fault)
        yield f"<tr>{cells}</tr>\n"
    yield "</tbody>\n</table>\n"
    if more:
        yield f"<p>{more} further faults are not on this page. Ask for the list as CSV to see them all.</p>\n"


_HEAD = """<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Faults in the extracts</title>
<style>
body { font: 1rem/1.5 sans-serif; margin: 2rem; color: #1a1a1a; background: #fff; }
pre { white-space: pre-wrap; }
table { border-collapse: collapse; }
caption { text-align: left; padding-bottom: 0.5rem; }
th, td { border: 1px solid #767676; padding: 0.2rem 0.5rem; text-align: left; vertical-align: top; }
td { white-space: pre-wrap; }
</style>
</head>
<main>
"""
