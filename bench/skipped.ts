/**
 * Records what could not be measured or tested on this machine. Each skip is printed at once and again with
 * the results. CI lists the installed peers in NUMGATE_PEERS, separated by spaces. If one of those is
 * missing, the benchmark or test fails instead.
 */

export const skipped: string[] = [];

/**
 * @param peer the missing package, by its name in NUMGATE_PEERS
 * @throws if CI has installed it
 */
export function skip(peer: string, words: string): void {
  if ((process.env.NUMGATE_PEERS ?? '').split(' ').includes(peer)) {
    throw new Error(`${words} (but CI installed ${peer})`);
  }
  skipped.push(words);
  process.stderr.write(`${words}\n`);
}
