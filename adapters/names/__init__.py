"""What names of hosts and of dependencies resolve to, asked at a slow pace beside everything else."""
