"""N-gram language models: text → counts → probabilities → a file to query."""
