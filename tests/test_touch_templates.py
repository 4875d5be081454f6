"""Texts with variables: only known names, never a template in a value, unknown values refused."""

from datetime import date

import pytest
from factories import make_contact, make_customer, make_user
from hypothesis import given
from hypothesis import strategies as st

from gengyun.engagement.calc import templates
from gengyun.engagement.calc.templates import (
    VARIABLES,
    TemplateBroken,
    ValueMissing,
    VariableUnknown,
    check_template,
    render_template,
    variables_in,
)
from gengyun.engagement.queries.template_facts import facts_for, facts_for_many


def test_variables_are_filled_in():
    facts = {"contact.name": "林女士", "contact.title": None, "customer.name": "晨曦 & <Co>"}
    text = "{{contact.name}}，{{ contact.title | 您好 }}：{{ customer.name }}。{{contact.name}}"
    assert render_template(text, facts) == "林女士，您好：晨曦 & <Co>。林女士"
    assert variables_in(text) == ["contact.name", "contact.title", "customer.name"]


def test_a_value_is_never_read_as_a_template():
    facts = {"customer.name": "{{ csm.email }}", "csm.email": "secret@example.cn"}
    assert render_template("{{ customer.name }}", facts) == "{{ csm.email }}"


def test_an_unknown_value_is_refused_by_name():
    with pytest.raises(ValueMissing) as refused:
        render_template("{{ customer.seats }}", {"customer.seats": None})
    assert refused.value.params == {"name": "customer.seats"}
    assert render_template("{{ customer.seats | }}", {"customer.seats": None}) == ""


@pytest.mark.parametrize("name", ["customer.health", "customer.churn", "contact.note", "x"])
def test_what_is_for_our_eyes_is_no_variable(name):
    assert [p.params for p in check_template(f"{{{{ {name} }}}}")] == [{"name": name}]
    with pytest.raises(VariableUnknown):
        render_template(f"{{{{ {name} }}}}", dict.fromkeys(VARIABLES, "v"))


@pytest.mark.parametrize(
    "text",
    ["{{ contact.name", "contact.name }}", "{{ }}", "{{ contact.name() }}", "{{ a{{b}} }}",
     "{{ contact.__class__ }}} }}", "{{ 1 }}", "{% for x in y %}{{ x[0] }}"],
)  # fmt: skip
def test_broken_braces_are_refused(text):
    assert check_template(text)
    with pytest.raises(TemplateBroken):
        render_template(text, {})


def test_the_link_of_a_survey_is_known_only_to_the_step_that_makes_it():
    assert check_template("{{ survey.link }}")
    assert check_template("{{ survey.link }}", allow={"survey.link"}) == []


@given(st.text(), st.text(alphabet="{}| .a\n", max_size=40))
def test_any_text_is_rendered_or_refused_by_name(value, text):
    facts = {"a": value, "a.a": None}
    try:
        found = render_template(text, facts)
    except (TemplateBroken, VariableUnknown, ValueMissing):
        return
    assert len(found) >= 0
    if "{{" not in text:
        assert found == text


@pytest.mark.django_db
def test_facts_are_words_in_the_language_and_every_listed_name_has_one():
    owner = make_user(name="苏敏", email="su@example.cn")
    customer = make_customer("晨曦科技", owner=owner, renews_on=date(2026, 3, 31), seats=50)
    contact = make_contact(customer, "林岚", title="")
    facts = facts_for(customer, contact, today=date(2026, 3, 2), language="zh-hans")
    assert facts["customer.renews_on"] == "2026 年 3 月 31 日"
    assert facts["customer.days_to_renewal"] == "29"
    assert facts["contact.title"] is None
    assert set(facts) == set(VARIABLES) - templates.LATER
    (english,) = facts_for_many([(customer, contact)], today=date(2026, 4, 2), language="en")
    assert english["customer.renews_on"] == "31 March 2026"
    assert english["customer.days_to_renewal"] is None  # it is over
    assert english["csm.name"] == "苏敏"
