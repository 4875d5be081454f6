"""Two ways to the same tables: the migrations one after another, and what replaces them."""

from django.db.migrations.loader import MigrationLoader


def test_the_short_way_of_a_new_database_leads_where_the_old_migrations_lead():
    short, old = MigrationLoader(None), MigrationLoader(None, replace_migrations=False)
    assert {app for app, _ in short.replacements} >= {"customers", "revenue", "portfolio", "sop"}
    by_short = short.project_state(list(short.replacements)).models
    by_old = old.project_state([one.replaces[-1] for one in old.replacements.values()]).models
    assert by_short.keys() == by_old.keys()
    different = [key for key, model in by_short.items() if model != by_old[key]]
    assert different == []
    # the order of columns, too
    assert [list(m.fields) for m in by_short.values()] == [
        list(by_old[key].fields) for key in by_short
    ]
