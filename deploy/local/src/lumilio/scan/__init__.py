"""`lumilio scan`: has a server look at a repository's disk, and shows what it found."""
