"""The AuditEvents of the records that were read: who read whose record, for the audit trail of the hospital."""
