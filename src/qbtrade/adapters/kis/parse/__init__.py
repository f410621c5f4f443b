"""Bodies of KIS's answers as typed values, split by noun. Every parser returns or raises WireError, nothing else."""
