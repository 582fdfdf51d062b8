"""The parts of linmodel.sweep: grid, cells, store, cluster, command."""
