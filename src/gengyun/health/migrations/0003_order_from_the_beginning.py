"""The order that stands becomes the order from the beginning; a tier becomes a list of one."""

from django.db import migrations
from django.utils import timezone


def forwards(apps, schema_editor):
    Scorecard = apps.get_model("health", "Scorecard")
    ScorecardOrder = apps.get_model("health", "ScorecardOrder")
    entries = []
    for card in Scorecard.objects.order_by("position"):
        card.tier_ids = [card.tier_id] if card.tier_id else []
        card.save(update_fields=["tier_ids"])
        entries.append({"card": card.pk, "tiers": card.tier_ids, "stages": []})
    if entries:
        ScorecardOrder.objects.create(
            effective_from=None, entries=entries, made_at=timezone.now(), made_by=None
        )


def backwards(apps, schema_editor):
    """A list of several tiers, or of stages, has no place in the old shape: the first tier stays."""
    for card in apps.get_model("health", "Scorecard").objects.all():
        card.tier_id = card.tier_ids[0] if card.tier_ids else None
        card.save(update_fields=["tier"])
    apps.get_model("health", "ScorecardOrder").objects.all().delete()


class Migration(migrations.Migration):
    dependencies = [("health", "0002_tuning")]
    operations = [migrations.RunPython(forwards, backwards)]
