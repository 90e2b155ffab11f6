"""Looking at an index before training on it: shortcuts, leaks between splits, odd offsets, balance."""
