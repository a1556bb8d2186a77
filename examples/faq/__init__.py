"""What people ask, one runnable answer per file."""
