"""What is said of a report: JSON, terminal, plots. Knows only ``Report``."""
