"""What the experiments' pages share: finding them, marks, tables, the report's chapter."""
