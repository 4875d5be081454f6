"""A seeded world whose truth is known, to measure what the product says (science.md 9).

Plain data: no Django, no lake, no clock. What the product may see (`Seen`) and the truth (`Truth`)
are kept apart; whoever measures joins them. The constants are the project's own assumptions.
"""
