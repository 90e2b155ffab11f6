"""Files become ticks and samples on one clock: probe, decode, write."""
