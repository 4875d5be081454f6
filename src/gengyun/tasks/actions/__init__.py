from gengyun.tasks.actions.creating import NewTask, create, create_many

__all__ = ["NewTask", "create", "create_many"]
