"""The command line: one module per command group, thin. stdout is data, stderr is narration."""
