"""What runs inside of one of the environments, in a process of its own, and is timed there or from outside."""
