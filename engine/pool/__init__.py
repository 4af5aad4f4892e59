"""Worker processes: the Dask scheduler with its lanes, and the page server's hold on it."""
