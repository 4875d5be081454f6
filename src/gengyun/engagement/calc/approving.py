"""Who says yes to a complete message before it goes. Pure."""

LEADER, CSM = "leader", "csm"
APPROVERS = (CSM, LEADER)
DEFAULT_DAYS, MOST_DAYS = 7, 60
# a leader decides; an administrator stands in. To the CSM's question everybody may answer who
# writes to the customer: the CSM, a deputy, the leader
_DECIDES = {LEADER: frozenset({"leader", "admin"})}


def decides(role: str, approver: str) -> bool:
    """May a colleague with this role answer? That they see the customer is asked elsewhere."""
    return role in _DECIDES.get(approver, frozenset({role}))


def asked_of(role: str) -> tuple[str, ...]:
    """The approvers in whose place this role answers."""
    return tuple(one for one in APPROVERS if decides(role, one))
