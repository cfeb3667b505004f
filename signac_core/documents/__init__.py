"""JSON documents on disk: read, changed, buffered, looked at live."""
