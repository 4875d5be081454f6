from gengyun.team.models.audit import AuditEntry
from gengyun.team.models.user import Role, Team, User

__all__ = ["AuditEntry", "Role", "Team", "User"]
