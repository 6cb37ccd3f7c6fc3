"""Who we trade with: agreements as typed values, the directory that finds them, and keys."""
