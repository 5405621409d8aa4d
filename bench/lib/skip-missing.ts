/**
 * Records what could not be measured or tested on this machine because a package is missing. Each skip is
 * printed at once, and again with the results. CI lists its installed packages in NUMGATE_PEERS, separated by
 * spaces. If one of these is missing, the benchmark or test fails instead.
 */

export const skipped: string[] = [];

/**
 * @param name of the missing package, as in NUMGATE_PEERS
 * @throws if CI has installed it
 */
export function skipMissing(name: string, message: string): void {
  if ((process.env.NUMGATE_PEERS ?? '').split(' ').includes(name)) {
    throw new Error(`${message} (but CI installed ${name})`);
  }
  skipped.push(message);
  process.stderr.write(`${message}\n`);
}
