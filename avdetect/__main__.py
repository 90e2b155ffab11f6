"""``python -m avdetect`` is the command ``avdetect``."""

from avdetect.cli import app

if __name__ == "__main__":
    app(prog_name="avdetect")
