"""What the figures of a back-test are made of."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("churn", "0001_initial"),
    ]

    operations = [
        migrations.AddField(
            model_name="backtest",
            name="rows",
            field=models.JSONField(null=True),
        ),
    ]
