"""Who is one human: the ids that were linked, each replaced by one of them in every table and every role."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable
from typing import TYPE_CHECKING, TypeVar

from evalkit.errors import NotComparable

if TYPE_CHECKING:
    import duckdb

Node = TypeVar("Node", bound=Hashable)

IDS = ("person_id", "victim_id", "same_as")
TABLES = (
    "people", "person_links", "incidents", "selections", "referrals", "episodes", "abuse_assessments",
    "risk_assessments", "hearings", "actions", "custody", "victims", "ready_cohort",
)  # fmt: skip
"""The tables in which a column of IDS holds the pseudonym of a human."""


def merge(connection: duckdb.DuckDBPyConnection, links: Collection[str]) -> None:
    """Make `humans` and `known_people`, both temporary.

    `humans`: one row for each id of every table that is there, with the `person_id` that stands for it and a `number`
    that stands for that. Ids that `person_links` connects with one of the strengths in `links` are one human: the
    smallest of them, as text, that has a row in `people` (of all, where none has). `known_people`: that very row of
    `people`, one for each human that has one, in the order of `person_id`.
    """
    held = {(table, column) for table, column in columns_of(connection) if table in TABLES and column in IDS}
    for table in ("people", "incidents"):
        if (table, "person_id") not in held:
            raise NotComparable(
                f"the data hold no table called '{table}', without which nobody can be scored. "
                f"Add {table}.csv to the folder of extracts."
            )
    _link(connection, links if ("person_links", "same_as") in held else ())
    ids = " UNION ".join(f'SELECT "{column}" FROM "{table}"' for table, column in sorted(held))
    connection.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE rfgv_ids AS SELECT id, CAST(row_number() OVER () AS INTEGER) AS number
        FROM ({ids}) AS ids(id) ANTI JOIN rfgv_linked USING (id) WHERE id IS NOT NULL;
        INSERT INTO rfgv_ids SELECT linked.id, number FROM rfgv_linked AS linked
        JOIN rfgv_ids AS kept ON kept.id = linked.person_id;
        CREATE OR REPLACE TEMP VIEW humans AS SELECT id, coalesce(person_id, id) AS person_id, number
        FROM rfgv_ids LEFT JOIN rfgv_linked USING (id);
        CREATE OR REPLACE TEMP TABLE known_people AS SELECT people.*, number
        FROM {padded("people", "died_on DATE", "left_force_on DATE")}
        JOIN rfgv_ids ON id = people.person_id ANTI JOIN rfgv_linked USING (id) ORDER BY people.person_id;
        CREATE OR REPLACE TEMP TYPE rfgv_area AS ENUM (SELECT DISTINCT area FROM people WHERE area IS NOT NULL)
        """
    )


def columns_of(connection: duckdb.DuckDBPyConnection) -> set[tuple[str, str]]:
    """Table and column of all that a query on this connection can name."""
    return set(
        connection.execute(
            "SELECT table_name, column_name FROM duckdb_columns() "
            "WHERE NOT internal AND database_name IN (current_database(), 'temp')"
        ).fetchall()
    )


def padded(table: str, *columns: str) -> str:
    """SQL of a table with these columns (name and type), empty where an extract may leave them out."""
    empty = ", ".join(f"NULL::{kind} AS {name}" for name, kind in map(str.split, columns))
    return f"(FROM {table} UNION ALL BY NAME SELECT {empty} WHERE false) AS {table}"


def _link(connection: duckdb.DuckDBPyConnection, links: Collection[str]) -> None:
    """Make `rfgv_linked`: the ids for which another stands, each with that other."""
    pairs = (
        connection.execute(
            "SELECT person_id, same_as FROM person_links WHERE list_contains($links, strength)", {"links": list(links)}
        ).fetchall()
        if links
        else []
    )
    groups = components(pairs)
    connection.execute(
        """
        CREATE OR REPLACE TEMP TABLE rfgv_linked AS SELECT id, person_id FROM (
          SELECT id, coalesce(min(id) FILTER (known) OVER one, min(id) OVER one) AS person_id FROM (
            SELECT id, root, id IN (SELECT person_id FROM people) AS known
            FROM (SELECT unnest($ids::VARCHAR[]) AS id, unnest($roots::VARCHAR[]) AS root)
          ) WINDOW one AS (PARTITION BY root)
        ) WHERE id <> person_id
        """,
        {"ids": list(groups), "roots": list(groups.values())},
    )


def components(pairs: Iterable[tuple[Node, Node]]) -> dict[Node, Node]:
    """Each node of the pairs with one node that stands for all that are connected with it."""
    parent: dict[Node, Node] = {}

    def root(node: Node) -> Node:
        parent.setdefault(node, node)
        while parent[node] != node:
            parent[node] = node = parent[parent[node]]
        return node

    for one, other in pairs:
        parent[root(one)] = root(other)
    return {node: root(node) for node in parent}
