"""The benchmark suite: cases, who does them, measuring, and the table of ratios."""
