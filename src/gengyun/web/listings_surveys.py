"""Export of the answers to a survey, as far as one may see the customers."""

from datetime import timedelta

from django.utils.translation import gettext as _

from gengyun.customers.actions.exporting import Sheet
from gengyun.engagement.calc import questionnaire
from gengyun.engagement.models import Answer
from gengyun.engagement.queries import surveys as queries
from gengyun.kernel.days import company_zone, start_of
from gengyun.kernel.errors import NotFound
from gengyun.web.listings import steps
from gengyun.web.numbers import is_number
from gengyun.web.present import surveys as present
from gengyun.web.words import language, pick

LONGEST = 730  # days back


class AnswersListing:
    capability = None

    def clean(self, actor, query):
        survey, days = str(query.get("survey", "")), str(query.get("days", ""))
        if not is_number(survey):
            raise NotFound
        queries.get(int(survey))
        days = min(int(days), LONGEST) if is_number(days) else LONGEST
        return {"survey": int(survey), "days": days}

    def _found(self, actor, query, today):
        survey = queries.get(query["survey"])
        since = start_of(today - timedelta(days=query["days"]))
        return survey, queries.answers(actor, survey, since=since)

    def count(self, actor, query, today, limit):
        rows = self._found(actor, query, today)[1]
        return rows.order_by().values("pk")[:limit].count()

    def sheet(self, actor, query, today):
        survey, found = self._found(actor, query, today)
        spoken = language()
        headers = [
            _("Customer id"), _("Customer"), _("Contact"), _("Role in decisions"), _("Survey"),
            _("Wave"), _("Answered on"),
            *(questionnaire.words(one, spoken) for one in survey.questions),
        ]  # fmt: skip
        return Sheet(headers, self._lines(survey, found))

    def _lines(self, survey, found):
        parts, spoken = present.part_words(), language()
        for part in steps(list(found.values_list("pk", flat=True))):
            rows = Answer.objects.select_related("customer", "contact", "wave").in_bulk(part)
            for one in (rows[pk] for pk in part if pk in rows):
                yield [
                    one.customer.external_id, one.customer.name, one.contact.name,
                    parts.get(one.part, ""), pick(survey), str(one.wave),
                    one.answered_at.astimezone(company_zone()),
                    *(_cell(question, one, spoken) for question in survey.questions),
                ]  # fmt: skip


def _cell(question, answer, spoken):
    value = answer.values.get(question["key"])
    if value is None:
        return None
    return present.shown(question, value, lambda item: questionnaire.words(item, spoken))
