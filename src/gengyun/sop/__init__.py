"""SOPs: who enters, what each step did and why, who is held out. Measured effect beside it."""
