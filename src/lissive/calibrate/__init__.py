"""Which parameters agree with what was measured: priors, likelihood, and where the two meet."""
