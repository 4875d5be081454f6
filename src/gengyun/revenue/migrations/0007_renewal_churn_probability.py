from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("revenue", "0006_renewal_indexes")]

    operations = [
        migrations.AddField(
            model_name="renewal",
            name="churn_probability",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="renewal",
            name="churn_on",
            field=models.DateField(blank=True, null=True),
        ),
        migrations.RemoveIndex(
            model_name="renewal",
            name="renewal_totals",
        ),
        migrations.AddIndex(
            model_name="renewal",
            index=models.Index(
                fields=[
                    "due_on",
                    "currency",
                    "category",
                    "state",
                    "gap",
                    "due_minor",
                    "forecast_minor",
                    "churn_probability",
                    "customer",
                ],
                name="renewal_totals",
            ),
        ),
    ]
