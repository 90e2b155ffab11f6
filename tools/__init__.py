"""Command-line tools of a checkout; not shipped in the wheel."""
