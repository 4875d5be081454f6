"""The simulated company, as plain data: no Django, no lake, no clock. Same seed, same world."""
