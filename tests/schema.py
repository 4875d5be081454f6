"""What tables a database has, to the last constraint, as text that can be compared."""

import re

import databases

PARTS = re.compile(r"""(?:[^,(]|\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\))+""")
POSTGRESQL = (
    """SELECT table_name, column_name, data_type, character_maximum_length, is_nullable,
       column_default, collation_name, identity_generation
       FROM information_schema.columns WHERE table_schema = 'public'""",
    "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    """SELECT conrelid::regclass::text, conname, condeferrable, pg_get_constraintdef(oid)
       FROM pg_constraint WHERE connamespace = 'public'::regnamespace""",
)


def of(folder, url):
    """Sorted lines: a column, an index, a constraint each. The order of columns is left out."""
    with databases.open_database(folder, url) as db:
        if url:
            return sorted(str(row) for sql in POSTGRESQL for row in db.execute(sql).fetchall())
        rows = db.execute("SELECT tbl_name, sql FROM sqlite_master WHERE sql <> ''").fetchall()
    return sorted(f"{table} {part}" for table, sql in rows for part in _parts(table, sql))


def _parts(table, sql):
    if not sql.startswith("CREATE TABLE"):
        return [sql]
    inside = sql[sql.index("(") + 1 : sql.rindex(")")]
    return [" ".join(part.split()) for part in PARTS.findall(inside)] + [sql[sql.rindex(")") :]]
