"""The `gateway` command: each module adds its group of commands to `app`; exit codes are 0 fine, 1 findings, 2 cannot run."""
