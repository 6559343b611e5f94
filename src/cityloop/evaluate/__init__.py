"""Indicators, schemes and scoreboards: what was done is counted step by step, scored by declared formulas, and every
figure leads back to its cases."""
