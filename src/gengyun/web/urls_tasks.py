"""Paths of tasks and leave; included by `web.urls`."""

from django.urls import path

from gengyun.web.views import task, task_leave, task_parts, tasks

urlpatterns = [
    path("tasks/", tasks.show, name="tasks"),
    path("tasks/new/", task.new, name="task_new"),
    path("tasks/customers/", task.customers, name="task_customers"),
    path("tasks/bulk/", tasks.bulk, name="tasks_bulk"),
    path("tasks/leave/", task_leave.leave, name="task_leave"),
    path("tasks/undo/<str:batch>/", tasks.undo, name="tasks_undo"),
    path("tasks/<int:pk>/", task.panel, name="task"),
    path("tasks/<int:pk>/edit/", task.edit, name="task_edit"),
    path("tasks/<int:pk>/comments/", task_parts.comment, name="task_comment"),
    path(
        "tasks/<int:pk>/comments/<int:comment_pk>/<slug:verb>/",
        task_parts.comment_act,
        name="task_comment_act",
    ),
    path("tasks/<int:pk>/files/", task_parts.add_file, name="task_files"),
    path("tasks/<int:pk>/files/<int:file_pk>/", task_parts.file, name="task_file"),
    path(
        "tasks/<int:pk>/files/<int:file_pk>/<slug:verb>/",
        task_parts.file_act,
        name="task_file_act",
    ),
    path("tasks/<int:pk>/<slug:verb>/", tasks.act, name="task_act"),
]
# below a customer's own path
customer_patterns = [path("tasks/", tasks.of_customer, name="customer_tasks")]
