"""Downloaded and imported market data: Parquet files under QB_HOME that `qb simulate --source` reads as they are."""
