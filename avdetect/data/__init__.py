"""Records (one clip = one record) and what reads them."""
