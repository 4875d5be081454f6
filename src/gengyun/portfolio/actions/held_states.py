"""What is behind every "for n days": rows, because queries join them. One block at a time."""

from collections.abc import Sequence
from datetime import date

import numpy as np
from numpy.typing import NDArray

from gengyun.portfolio.calc.blocks import Days
from gengyun.portfolio.calc.vector import Yes
from gengyun.portfolio.models import ConditionState, Watch
from gengyun.portfolio.queries.truth import within

BATCH = 5_000
Row = tuple[int, int, int, date]


class HeldStates:
    """Read when made; `put` says what holds now, `write` stores what is another than before."""

    def __init__(
        self, watches: Sequence[Watch], ids: NDArray[np.int64], keys: tuple[int, int], *, day: date
    ) -> None:
        self._ids, self._day = ids, day
        self.since: dict[int, Days] = {watch.pk: np.zeros(len(ids), np.int32) for watch in watches}
        self._rows = {watch.pk: np.zeros(len(ids), np.int64) for watch in watches}
        self._lost: list[int] = []
        self._gained: list[ConditionState] = []
        if not watches:
            return
        stored = ConditionState.objects.filter(watch__in=watches, **within(keys))
        rows = list(stored.order_by().values_list("pk", "watch_id", "customer_id", "since_on"))
        if rows:
            self._take(rows)

    def _take(self, rows: Sequence[Row]) -> None:
        table = np.array([(pk, w, c, on.toordinal()) for pk, w, c, on in rows], np.int64).T
        places = np.searchsorted(self._ids, table[2])
        is_here = np.zeros(len(rows), np.bool_)
        inside = places < len(self._ids)
        is_here[inside] = self._ids[places[inside]] == table[2][inside]
        self._lost += table[0][~is_here].tolist()  # customers that are gone
        for watch in self.since:
            mine = is_here & (table[1] == watch)
            self.since[watch][places[mine]] = table[3][mine]
            self._rows[watch][places[mine]] = table[0][mine]

    def put(self, watch: Watch, now: Yes) -> None:
        since = self.since[watch.pk]
        lost, gained = (since > 0) & ~now, now & (since == 0)
        self._lost += self._rows[watch.pk][lost].tolist()
        self._gained += [
            ConditionState(watch_id=watch.pk, customer_id=customer, since_on=self._day)
            for customer in self._ids[gained].tolist()
        ]
        since[lost] = 0
        since[gained] = self._day.toordinal()

    def write(self) -> None:
        for start in range(0, len(self._lost), BATCH):
            ConditionState.objects.filter(pk__in=self._lost[start : start + BATCH]).delete()
        ConditionState.objects.bulk_create(self._gained, batch_size=BATCH, ignore_conflicts=True)
