"""`lumilio backup`: the catalogue dumped, proven by restoring it, and kept with a list of all originals."""
