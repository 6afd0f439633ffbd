"""Makes the catalogue anew from what lies on the disk."""
