"""Putting the simulated world into a deployment, through the packages' own actions where it can."""
