"""Emergency: responses with levels, contacts, resources, tasks, a log, and a report at the end."""
