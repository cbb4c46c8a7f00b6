"""Tables of results: rows that `tfvae reproduce` trains and measures, and the pages they make."""
