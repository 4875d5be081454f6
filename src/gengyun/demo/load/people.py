"""The colleagues of the demo company, one login per role at least."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.hashers import make_password
from django.db import transaction

from gengyun.team.actions.audit import record_many
from gengyun.team.actions.teams import create_team
from gengyun.team.models import Role, Team, User

PASSWORD = "gengyun-demo"  # noqa: S105 - printed on the screen; the demo listens on this machine
DOMAIN = "hezhou.example"
ROOT, BIG, GROWTH = "客户成功部", "大客户组", "成长客户组"


@dataclass(frozen=True)
class Colleague:
    key: str
    name: str
    role: str
    team: str | None = None

    @property
    def email(self) -> str:
        return f"{self.key}@{DOMAIN}"


COLLEAGUES = (
    Colleague("linxiao", "林晓", Role.CSM, BIG),
    Colleague("liangjing", "梁静", Role.LEADER, BIG),
    Colleague("tangwei", "唐薇", Role.OPERATIONS, ROOT),
    Colleague("sumingyuan", "苏明远", Role.ADMIN),
    Colleague("fangning", "方宁", Role.VIEWER),
    Colleague("hejia", "何嘉", Role.CSM, BIG),
    Colleague("zhoumu", "周牧", Role.CSM, BIG),
    Colleague("luochuan", "罗川", Role.LEADER, GROWTH),
    Colleague("chenyuan", "陈予安", Role.CSM, GROWTH),
    Colleague("xuzhixia", "许知夏", Role.CSM, GROWTH),
    Colleague("shenyifan", "沈一帆", Role.CSM, GROWTH),
)
# who to log in as: the first of each role
LOGINS = COLLEAGUES[:5]


@transaction.atomic
def make_people(*, now: datetime, since: datetime, last_visit: datetime) -> dict[str, User]:
    """Teams and users."""
    root = create_team(actor=None, now=now, name=ROOT)
    teams: dict[str | None, Team | None] = {None: None, ROOT: root}
    for name in (BIG, GROWTH):
        teams[name] = create_team(actor=None, now=now, name=name, parent=root)
    password = make_password(PASSWORD)  # hashed once: it is the same and hashing is slow
    users = [
        User(
            email=colleague.email,
            name=colleague.name,
            role=colleague.role,
            team=teams[colleague.team],
            password=password,
            created_at=since,
            visit_at=last_visit,
        )
        for colleague in COLLEAGUES
    ]
    User.objects.bulk_create(users)
    record_many(
        actor=None,
        now=now,
        action="user.create",
        changes=[
            (user, {"email": [None, user.email], "role": [None, user.role]}) for user in users
        ],
    )
    return {colleague.key: user for colleague, user in zip(COLLEAGUES, users, strict=True)}
