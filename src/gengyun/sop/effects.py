"""The kinds of steps that can be carried out, and what their outcomes are called.

Registered when the application starts. Each effect writes rows in the step's transaction; what
goes out of the house (mail, robots, web addresses) leaves later, from those rows.
"""

from gengyun.sop.actions import effects_alerts, effects_inside, effects_outside

__all__ = ["effects_alerts", "effects_inside", "effects_outside"]
