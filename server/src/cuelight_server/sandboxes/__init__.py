"""The sandboxes' room: what graders have done outside of this process, by programs and addresses that the desk allows."""
