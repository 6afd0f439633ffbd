"""`lumilio upload`: sends folders of photos to a server."""
