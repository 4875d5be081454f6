"""What holds for every rule, and the rules that are in force."""

from gengyun.alerts.models import AlertPolicy, AlertRule, RiskCause


def policy() -> AlertPolicy:
    """The one row; the defaults where nobody has changed anything."""
    return AlertPolicy.objects.order_by("pk").first() or AlertPolicy()


def rules_in_force() -> list[AlertRule]:
    """Company-wide rules first: what they find decides whether others are believed."""
    active = AlertRule.objects.filter(is_active=True, retired_at__isnull=True)
    rows = list(active.select_related("cause"))
    return sorted(rows, key=lambda rule: (not rule.is_company_wide, rule.position, rule.pk))


def families() -> dict[int, str]:
    """Cause -> key of the family at the top of its branch."""
    rows = {pk: (key, parent) for pk, key, parent in _causes()}
    found = {}
    for pk in rows:
        top = pk
        for _ in rows:  # a tree: never longer than there are causes
            parent = rows[top][1]
            if parent is None:
                break
            top = parent
        found[pk] = rows[top][0]
    return found


def _causes() -> list[tuple[int, str, int | None]]:
    return list(RiskCause.objects.values_list("pk", "key", "parent_id"))
