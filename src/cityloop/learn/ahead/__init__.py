"""What a measured quantity will be, and what it usually is: pure functions over grids of numbers, without I/O."""
