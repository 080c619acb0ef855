"""What readiness lists are measured by that no tick waits for: links, health endpoints, callers, digests of builds."""
