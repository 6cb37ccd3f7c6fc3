"""A self-hosted EDI/B2B partner gateway: X12 and EDIFACT over AS2, JSON over REST, canonical documents to ERP APIs."""
