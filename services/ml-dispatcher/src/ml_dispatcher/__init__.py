"""Has inference servers tell what pictures show, and keeps what they say."""
