"""The report and its forms: JSON, terminal, plots. Knows only reports and audits, never models or files."""
