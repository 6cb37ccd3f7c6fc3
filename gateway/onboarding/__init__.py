"""A partner from sample files: what they send, observed and counted; what the base guides and maps lack for it; the
files that say so. Reads through what it is given: nothing is written here, and no socket, store or clock is known.

sample → `observe` → Profile → `needs` → `guide_delta`, `map_delta`, `agreement_file` → `infer` puts all together
later traffic → Profile → `drift`: what the first one had not
"""
