"""A city from its sheets: each kind of sheet is read, shown as a plan, and on demand written into the city's files."""
