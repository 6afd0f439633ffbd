"""`lumilio ml`: shows how far models are with what they see, and has gaps filled or spaces switched."""
