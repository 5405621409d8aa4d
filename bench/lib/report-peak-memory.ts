/** Loaded into a measured process with `--import`. Prints the peak memory on standard error when the process exits. */
process.on('exit', () => {
  process.stderr.write(`peak-memory-kib ${process.resourceUsage().maxRSS}\n`);
});
