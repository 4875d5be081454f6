from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("revenue", "0003_forecast_runs")]

    operations = [
        migrations.AlterField(
            model_name="movement",
            name="kind",
            field=models.CharField(
                choices=[
                    ("new", "New"),
                    ("renew", "Renewal"),
                    ("upsell", "Upsell"),
                    ("cross_sell", "Cross-sell"),
                    ("price_change", "Price change"),
                    ("downsell", "Downsell"),
                    ("pause", "Pause"),
                    ("resume", "Resumed"),
                    ("churn", "Churn"),
                    ("win_back", "Win-back"),
                    ("correction", "Correction"),
                    ("transfer", "Carried over"),
                ],
                max_length=12,
            ),
        ),
    ]
