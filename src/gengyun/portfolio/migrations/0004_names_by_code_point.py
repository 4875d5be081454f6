from django.db import migrations


def by_code_point(apps, schema_editor):
    """On PostgreSQL too: the one index then finds what begins with a text, gives the order of a
    list and says where a page goes on, whatever the collation of the database."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE portfolio_customersummary "
            'ALTER COLUMN search_key TYPE varchar(420) COLLATE "C"'
        )


def by_database(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "ALTER TABLE portfolio_customersummary "
            'ALTER COLUMN search_key TYPE varchar(420) COLLATE "default"'
        )


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0003_name_pairs")]

    operations = [migrations.RunPython(by_code_point, by_database)]
