"""The `gateway` command: each module adds its group to `app`; exit codes: 0 fine, 1 findings, 2 cannot run."""
