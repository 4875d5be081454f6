"""Custom fields: definitions, typed values, history, imports, refusals that change nothing."""

import csv
from datetime import date, timedelta
from decimal import Decimal

import pytest
from factories import NOW, People, make_customer
from hypothesis import given
from hypothesis import strategies as st

from gengyun.customers.actions import custom_fields as actions
from gengyun.customers.actions.custom_values import set_values
from gengyun.customers.actions.customers import create_customer, edit_customer
from gengyun.customers.actions.fields import FieldInvalid, FieldMissing, FieldUnknown
from gengyun.customers.actions.importing import check_import, prepare_import, run_import
from gengyun.customers.calc import custom
from gengyun.customers.calc.cells import BadCell
from gengyun.customers.models import Customer, CustomField, FieldChange, FieldValue
from gengyun.customers.queries.as_of import field_values
from gengyun.customers.queries.custom_fields import fill_counts, values_for, values_of
from gengyun.kernel.errors import NotAllowed, NotFound
from gengyun.team.models import AuditEntry

LEVELS = [{"name_zh": "高", "name_en": "High"}, {"name_zh": "低", "name_en": "Low"}]


def make_field(kind="text", *, key="", name=None, options=None, **values):
    names = {"name_zh": name or f"字段 {CustomField.objects.count() + 1}"}
    if kind in {"choice", "multi"}:
        names["options"] = options or LEVELS
    return actions.create_field(actor=None, now=NOW, kind=kind, key=key, values=names | values)


def put(customer, **values):
    return set_values(actor=None, now=NOW, wanted={customer.pk: values})


# ---- values


OPTIONS = tuple(custom.Option(f"o{n}", f"选项{n}", f"Option {n}") for n in range(5))
DEFINITIONS = {kind: custom.Definition("k", kind, OPTIONS) for kind in CustomField.Kind.values}
VALUES = {
    "text": st.text(min_size=1, max_size=60).filter(lambda t: t.split()),
    "number": st.decimals(min_value=-(10**10), max_value=10**10, places=4),
    "money": st.integers(0, 10**15),
    "date": st.dates(),
    "bool": st.booleans(),
    "choice": st.sampled_from([o.key for o in OPTIONS]),
    "multi": st.lists(st.sampled_from([o.key for o in OPTIONS]), min_size=1),
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_what_is_stored_reads_back_as_it_was(kind, data):
    definition = DEFINITIONS[kind]
    value = custom.clean(definition, data.draw(VALUES[kind]))
    assert custom.value_of(definition, custom.stored(definition, value)) == value


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "x" * 501), ("number", "eight"), ("number", True), ("number", Decimal("NaN")),
        ("number", 10**11), ("money", -1), ("money", 1.5), ("date", "2026-01-01"), ("bool", 1),
        ("choice", "o9"), ("multi", "o1"), ("multi", ["o1", "o9"]),
    ],
)  # fmt: skip
def test_a_value_of_another_kind_is_refused(kind, value):
    with pytest.raises(custom.BadValue):
        custom.clean(DEFINITIONS[kind], value)


@pytest.mark.parametrize(
    ("kind", "cell", "value"),
    [
        ("text", " 甲　乙 ", "甲 乙"), ("text", "无", None), ("number", "1,200.5", Decimal("1200.5")),
        ("number", "-3", Decimal(-3)), ("number", "85%", Decimal(85)), ("number", 0.1, Decimal("0.1")),
        ("money", "48.6万", 48_600_000), ("date", "2026年3月1日", date(2026, 3, 1)),
        ("bool", "是", True), ("bool", "无", False), ("bool", "No", False), ("bool", "", None),
        ("choice", "选项2", "o2"), ("choice", "option 3", "o3"), ("choice", "o4", "o4"),
        ("multi", "选项3、Option 1", ["o1", "o3"]),
    ],
)  # fmt: skip
def test_cells_are_read_as_people_write_them(kind, cell, value):
    assert custom.read_cell(DEFINITIONS[kind], cell) == value


@pytest.mark.parametrize(
    ("kind", "cell", "code"),
    [
        ("number", "many", "not_a_number"), ("bool", "perhaps", "not_yes_or_no"),
        ("choice", "选项9", "not_a_choice"), ("date", "01/03/2026", "day_unclear"),
        ("text", "x" * 501, "too_long"), ("money", "-5", "not_an_amount"),
    ],
)  # fmt: skip
def test_cells_that_cannot_be_read_say_why(kind, cell, code):
    with pytest.raises(BadCell) as bad:
        custom.read_cell(DEFINITIONS[kind], cell)
    assert bad.value.code == code


def test_a_retired_option_is_not_taken_from_a_cell():
    options = (custom.Option("a", "高", "High", True), custom.Option("b", "低", "Low"))
    definition = custom.Definition("k", "choice", options)
    with pytest.raises(BadCell) as bad:
        custom.read_cell(definition, "高")
    assert bad.value.params["choices"] == "低"


# ---- writing


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "钉钉"), ("number", Decimal("12.5")), ("money", 48_600_000),
        ("date", date(2026, 5, 1)), ("bool", False),
    ],
)  # fmt: skip
def test_every_kind_is_kept_and_emptied(kind, value):
    field, customer = make_field(kind, key="it"), make_customer()
    assert put(customer, it=value) == 1
    held = values_for(customer, [field])
    assert held == {"it": value}
    assert type(held["it"]) is type(value)
    assert put(customer, it=value) == 0  # nothing new, nothing written
    put(customer, it=None)
    assert values_for(customer, [field]) == {}
    assert not FieldValue.objects.exists()


@pytest.mark.django_db
def test_multiple_choice_keeps_the_order_of_the_field():
    field, customer = make_field("multi", key="tools"), make_customer()
    high, low = (option["key"] for option in field.options)
    put(customer, tools=[low, high, low])
    assert values_for(customer, [field]) == {"tools": [high, low]}
    put(customer, tools=[low])
    assert values_for(customer, [field]) == {"tools": [low]}


@pytest.mark.django_db
def test_audit_tells_old_and_new_in_words():
    field, customer = make_field("choice", key="level"), make_customer()
    put(customer, level=field.options[0]["key"])
    put(customer, level=field.options[1]["key"])
    entry = AuditEntry.objects.filter(action="customer.set_fields").latest("pk")
    assert entry.changes == {"custom_level": ["高", "低"]}


@pytest.mark.django_db
def test_history_is_kept_only_where_asked_and_read_as_of_a_day():
    make_field("number", key="seats_used", keeps_history=True)
    make_field("number", key="other")
    customer = make_customer(known_at=NOW - timedelta(days=30))
    put(customer, seats_used=Decimal(5), other=Decimal(1))
    later = NOW + timedelta(days=3)
    set_values(actor=None, now=later, wanted={customer.pk: {"seats_used": Decimal(9)}})
    assert set(FieldChange.objects.values_list("field", flat=True)) == {"custom_seats_used"}
    name = "custom_seats_used"
    at = [
        field_values(fields=[name], as_of=day)[name].get(customer.pk)
        for day in (date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 6))
    ]
    assert at == [None, 5, 9]


@pytest.mark.django_db
def test_required_fields_cannot_be_emptied_and_bad_values_change_nothing():
    make_field("number", key="n", is_required=True)
    customer = make_customer()
    put(customer, n=3)
    with pytest.raises(FieldMissing):
        put(customer, n=None)
    with pytest.raises(FieldInvalid) as bad:
        put(customer, n="viel")
    assert bad.value.params["field"] == "custom_n"
    assert FieldValue.objects.get().number == 3


@pytest.mark.django_db
def test_only_who_sees_and_may_edit_the_customer_writes():
    people = People()
    make_field(key="t")
    customer = make_customer(owner=people.owner)
    for actor, refusal in [
        (people.colleague, NotFound), (people.stranger, NotFound), (people.viewer, NotAllowed),
    ]:  # fmt: skip
        with pytest.raises(refusal):
            set_values(actor=actor, now=NOW, wanted={customer.pk: {"t": "x"}})
    assert not FieldValue.objects.exists()
    set_values(actor=people.owner, now=NOW, wanted={customer.pk: {"t": "x"}})
    assert FieldValue.objects.get().text == "x"


@pytest.mark.django_db
def test_one_customer_out_of_reach_refuses_the_whole_change():
    people = People()
    make_field(key="t")
    mine, other = make_customer(owner=people.owner), make_customer(owner=people.colleague)
    with pytest.raises(NotFound):
        set_values(actor=people.owner, now=NOW, wanted={mine.pk: {"t": "x"}, other.pk: {"t": "x"}})
    assert not FieldValue.objects.exists()


@pytest.mark.django_db
def test_writing_many_costs_as_many_queries_as_writing_two(django_assert_max_num_queries):
    make_field(key="t")
    customers = [make_customer() for _ in range(40)]
    with django_assert_max_num_queries(12):
        set_values(actor=None, now=NOW, wanted={c.pk: {"t": "x"} for c in customers})
    assert len(values_of([c.pk for c in customers], list(CustomField.objects.all()))) == 40


@pytest.mark.django_db
def test_customers_are_made_and_changed_with_custom_fields_in_one_go():
    field = make_field("bool", key="sso")
    values = {"name": "新客户", "custom": {"sso": True}}
    customer = create_customer(actor=None, now=NOW, values=values)
    assert values_for(customer, [field]) == {"sso": True}
    with pytest.raises(FieldUnknown):
        edit_customer(
            actor=None, now=NOW, customer=customer, changes={"name": "改名", "custom": {"no": 1}}
        )
    assert Customer.objects.get().name == "新客户"
    edit_customer(actor=None, now=NOW, customer=customer, changes={"custom": {"sso": False}})
    assert values_for(customer, [field]) == {"sso": False}


# ---- definitions


@pytest.mark.django_db
def test_a_key_is_made_from_the_english_name_or_made_up():
    assert make_field(name_en="CRM level").key == "crm_level"
    assert make_field(name="钉钉组织", name_en="").key.startswith("f_")
    with pytest.raises(actions.FieldKeyInvalid):
        make_field(key="Not OK")
    with pytest.raises(actions.FieldKeyTaken):
        make_field(key="crm_level")


@pytest.mark.django_db
def test_definitions_that_cannot_be_are_refused():
    with pytest.raises(actions.FieldNameMissing):
        make_field(name=" ")
    with pytest.raises(actions.FieldKindUnknown):
        make_field("colour")
    with pytest.raises(actions.OptionsMissing):
        make_field("choice", options=[{"name_zh": ""}])
    with pytest.raises(actions.OptionsRepeated):
        make_field("choice", options=[{"name_zh": "高"}, {"name_zh": "高"}])
    make_field(name="行业线")
    with pytest.raises(actions.FieldNameTaken):
        make_field(name="行业线")
    people = People()
    with pytest.raises(NotAllowed):
        actions.create_field(actor=people.leader, now=NOW, kind="text", values={"name_zh": "不行"})
    assert CustomField.objects.count() == 1


@pytest.mark.django_db
def test_a_choice_that_is_left_out_is_retired_while_customers_hold_it():
    field, customer = make_field("choice", key="level"), make_customer()
    high, low = (dict(option) for option in field.options)
    put(customer, level=low["key"])
    changed = actions.edit_field(
        actor=None, now=NOW, field=field, values={"options": [{"name_zh": "中"}]}
    )
    assert [(o["name_zh"], o["is_retired"]) for o in changed.options] == [
        ("中", False), ("低", True),
    ]  # fmt: skip
    assert high["key"] not in {option["key"] for option in changed.options}
    assert values_for(customer, [changed]) == {"level": low["key"]}
    # and what it sorts by follows the new order
    assert FieldValue.objects.get().number == 1


@pytest.mark.django_db
def test_a_renamed_choice_keeps_its_key_and_a_new_order_is_written_to_the_values():
    field, customer = make_field("choice", key="level"), make_customer()
    high, low = (dict(option) for option in field.options)
    put(customer, level=high["key"])
    actions.edit_field(
        actor=None, now=NOW, field=field, values={"options": [low, {**high, "name_zh": "很高"}]}
    )
    field.refresh_from_db()
    assert [option["key"] for option in field.options] == [low["key"], high["key"]]
    assert FieldValue.objects.get().number == 1
    assert custom.option_name(field.definition, high["key"]) == "很高"


@pytest.mark.django_db
def test_a_used_field_is_retired_not_deleted_and_comes_back_with_its_values():
    field, customer = make_field(key="t"), make_customer()
    put(customer, t="x")
    with pytest.raises(actions.FieldInUse):
        actions.delete_field(actor=None, now=NOW, field=field)
    actions.retire_field(actor=None, now=NOW, field=field)
    with pytest.raises(FieldUnknown):
        put(customer, t="y")
    restored = actions.restore_field(actor=None, now=NOW, field=field)
    assert values_for(customer, [restored]) == {"t": "x"}
    unused = make_field(key="u")
    actions.delete_field(actor=None, now=NOW, field=unused)
    assert [one.key for one in CustomField.objects.all()] == ["t"]


@pytest.mark.django_db
def test_fields_keep_the_order_they_are_given_and_count_who_holds_them():
    a, b = make_field(key="a"), make_field(key="b")
    actions.reorder_fields(actor=None, now=NOW, fields=[b, a])
    assert [field.key for field in CustomField.objects.all()] == ["b", "a"]
    with pytest.raises(NotFound):
        actions.reorder_fields(actor=None, now=NOW, fields=[b])
    first, second = make_customer(), make_customer(archived_at=NOW)
    put(first, a="x")
    put(second, a="x")
    assert fill_counts() == {a.pk: 1}


# ---- bringing them in


def imported(tmp_path, settings, rows, actor=None):
    settings.DATA_DIR = tmp_path / "data"
    path = tmp_path / "in.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    run = prepare_import(actor=actor, now=NOW, kind="customers", file_name="in.csv", path=path)
    return check_import(actor=actor, now=NOW, run=run)


@pytest.mark.django_db(transaction=True)
def test_an_import_maps_custom_fields_by_name_and_tells_what_changes(tmp_path, settings):
    level = make_field("choice", key="level", name="决策级别")
    went = make_field("date", key="went_live", name="上线日", name_en="Went live")
    old = make_customer("老客户", external_id="a1")
    rows = [
        ["客户编号", "客户名称", "决策级别", "went_live"],
        ["a1", "老客户", "低", "2026-02-01"],
        ["a2", "新客户", "高", ""],
        ["a3", "错客户", "很高", "2026-02-01"],
    ]
    run = imported(tmp_path, settings, rows)
    assert run.mapping["决策级别"] == "custom_level"
    assert run.mapping["went_live"] == "custom_went_live"
    assert (run.outcome["created"], run.outcome["changed"], run.outcome["error"]) == (1, 1, 1)
    assert run.outcome["rows"][0]["changes"]["custom_level"] == ["", "低"]
    assert run.outcome["errors"][0]["code"] == "not_a_choice"
    run_import(actor=None, now=NOW, run=run)
    held = values_of(list(Customer.objects.values_list("pk", flat=True)), [level, went])
    assert held[old.pk] == {"level": level.options[1]["key"], "went_live": date(2026, 2, 1)}
    new = Customer.objects.get(external_id="a2")
    assert held[new.pk] == {"level": level.options[0]["key"]}
    assert not Customer.objects.filter(external_id="a3").exists()
    again = imported(tmp_path, settings, rows)
    assert again.outcome["same"] == 2  # the same file again changes nothing
