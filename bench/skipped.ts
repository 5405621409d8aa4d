/**
 * What could not be measured or tested on this machine, in words: said at once, and beside the results. CI
 * names the peers that it has in NUMGATE_PEERS, with spaces; what needs one of those fails instead.
 */

export const skipped: string[] = [];

/**
 * @param peer the package that is missing, by its name in NUMGATE_PEERS
 * @throws where CI has it
 */
export function skip(peer: string, words: string): void {
  if ((process.env.NUMGATE_PEERS ?? '').split(' ').includes(peer)) {
    throw new Error(`${words} (but CI installed ${peer})`);
  }
  skipped.push(words);
  process.stderr.write(`${words}\n`);
}
