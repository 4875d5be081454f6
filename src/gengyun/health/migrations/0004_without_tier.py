from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("health", "0003_order_from_the_beginning")]
    operations = [migrations.RemoveField(model_name="scorecard", name="tier")]
