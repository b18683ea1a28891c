"""The ground of the server: errors, time, ids, actors, terms and verdicts; pure, and below everything else."""
