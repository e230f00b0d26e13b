"""Template, code and artifact become one Project; they meet nowhere else."""
