"""What every experiment uses: its definition, the engine that runs it, results, numbers."""
