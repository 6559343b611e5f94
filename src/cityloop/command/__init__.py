"""Commands: orders to devices and other systems, with authority, interlocks, observed effect and undo."""
