"""One task beside the list: what it is, what hangs on it, what can be done."""

from gengyun.portfolio.models import CustomerSummary
from gengyun.sop.models import Run
from gengyun.tasks.actions.files import MOST_FILES
from gengyun.tasks.queries import details
from gengyun.tasks.queries import lists as queries
from gengyun.team.queries.access import can
from gengyun.web.numbers import is_number
from gengyun.web.present import task_log
from gengyun.web.present import tasks as present
from gengyun.web.render import is_htmx, render
from gengyun.web.views.customer import kinds
from gengyun.web.views.task_work import options

CHANGED = "tasks-changed"


def shown(request, tasks):
    """Rows with what stands beside them, in a constant number of questions."""
    return present.rows(
        tasks,
        user=request.user,
        today=request.today,
        seen=queries.visible_customers(request.user, tasks),
        marks=details.marks_of(tasks),
    )


def render_panel(request, pk, *, said=None, status=200):
    """`said`: what was typed and refused, by the name of its field."""
    task = queries.get(request.user, pk)
    context = _context(request, task) | {"said": said or {}}
    block = "panel" if is_htmx(request) else None
    return render(request, "tasks/panel.html", context, block=block, status=status)


def _context(request, task):
    user, today = request.user, request.today
    row = shown(request, [task])[0]
    customer = task.customer if row.may_open else None
    summary = CustomerSummary.objects.filter(pk=customer.pk).first() if customer else None
    may_work = can(user, "task.work")
    return {
        "row": row,
        "task": task,
        "customer": customer,
        "summary": summary,
        "state": present.state_word(task, today),
        "due_hint": present.due_hint(task, today),
        "role_word": present.role_word(task.role),
        "comments": details.comments_of(task),
        "run": _run(user, task),
        "files": details.files_of(task),
        "size_text": present.size_text,
        "most_files": MOST_FILES,
        "log": task_log.log(details.events_of(task), today),
        "may_work": may_work,
        "may_lead": can(user, "customer.assign"),
        "may_write": can(user, "activity.write"),
        "kinds": kinds(),
        **(options(user) if may_work else {}),
    }


def _run(user, task):
    """The run of the SOP that made the task ("sop:RUN:STEP:TURN"), where the reader may see it."""
    kind, _, rest = task.source.partition(":")
    number = rest.partition(":")[0]
    if kind != "sop" or not is_number(number):
        return None
    return Run.objects.visible_to(user).filter(pk=int(number)).select_related("sop").first()
