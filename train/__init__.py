"""Programs that train and evaluate; not shipped in the wheel: fork them."""
