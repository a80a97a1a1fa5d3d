"""Drugs, routes and doses: of administrations, orders and drafts."""
