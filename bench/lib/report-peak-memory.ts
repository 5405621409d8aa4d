/** Loaded into a measured process with `--import`. Reports the peak memory on standard error at the end. */
process.on('exit', () => {
  process.stderr.write(`peak-memory-kib ${process.resourceUsage().maxRSS}\n`);
});
