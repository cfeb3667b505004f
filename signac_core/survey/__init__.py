"""What a space of parameters looks like: schema, differences, neighbours, groups, tables."""
