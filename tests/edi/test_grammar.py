"""The pattern of a whole message: it takes what is right, nothing else, and means the tree that reading segment by segment means."""
