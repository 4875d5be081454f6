"""Ready SOPs to begin with."""


def groups():
    return []


def copy(key, *, name, actor, now):
    raise NotImplementedError
