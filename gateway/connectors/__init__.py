"""The ways out: one module per kind of far side. They know the ports and settings, never the pipeline or the store."""
