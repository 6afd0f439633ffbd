"""`lumilio relocate`: has the originals of a repository's inbox lie by another strategy, and shows how far that is."""
