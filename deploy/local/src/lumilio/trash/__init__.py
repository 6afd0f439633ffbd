"""`lumilio trash`: what lies in the trash of a server, taken back or gone for good."""
