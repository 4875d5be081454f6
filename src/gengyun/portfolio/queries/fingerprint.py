"""What summary rows say, to tell whether two ways of making them agree."""

from hashlib import blake2b

from gengyun.portfolio.models import CustomerSummary

# when a row was made is no statement about the customer
NOT_SAID = {"updated_at"}


def fingerprints() -> dict[int, bytes]:
    """customer -> a short digest of all that its summary row says."""
    names = [
        field.attname
        for field in CustomerSummary._meta.concrete_fields  # noqa: SLF001 - Django's own name
        if field.name not in NOT_SAID and not field.primary_key
    ]
    rows = CustomerSummary.objects.order_by().values_list("pk", *names)
    return {
        pk: blake2b(repr(said).encode(), digest_size=8).digest()
        for pk, *said in rows.iterator(chunk_size=5_000)
    }
