"""The walk of `make demo`: ERP sandboxes, gateway and supplier's station as real processes, verified from outside."""
