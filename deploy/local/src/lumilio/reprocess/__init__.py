"""`lumilio reprocess`: has a server read and render photos again, and shows how far it is."""
