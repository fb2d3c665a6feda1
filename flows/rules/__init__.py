"""The programme's rules: pure functions over dated data. Sources and marks stand beside the data."""
