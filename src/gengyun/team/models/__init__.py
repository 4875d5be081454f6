from gengyun.team.models.audit import AuditEntry
from gengyun.team.models.token import ApiToken, KeptAnswer
from gengyun.team.models.user import Role, Team, User

__all__ = ["ApiToken", "AuditEntry", "KeptAnswer", "Role", "Team", "User"]
