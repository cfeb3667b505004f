"""Jobs to and from other places: copies, archives, linked views, other projects."""
