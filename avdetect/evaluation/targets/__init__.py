"""The measurements that the default bundle is held against, as docs/results.md reports them."""
