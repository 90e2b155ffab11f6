"""Training configurations: each file has ``get_config()``; its docstring holds the command and the result."""
