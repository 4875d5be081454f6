"""What `gengyun check` looks at; each check returns the problems it found, as sentences."""
