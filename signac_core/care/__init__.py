"""Care for a project: checks, repair, leftovers, older layouts."""
