/**
 * Reads a file of hosts: text with one host per line (also in the form of a hosts file, `0.0.0.0 host`), or JSON of a known
 * source: `{"deny": […], "allow": […]}` (polkadot-js/phishing), `{"list": […]}` (MISP warning lists), `{"hosts": […]}`, or an
 * array. Text may be gzipped.
 */

import type { Effect } from '../../shared/verdict.ts';
import { CommandFailure } from '../failure.ts';
import { readJsonFile } from '../import/json-file.ts';
import { LINE_CHARS_MAX, readLines } from '../import/lines.ts';

/** A host as written in its file, and its place there. */
export interface WrittenHost {
  readonly text: string;
  /** Line of a text, from 1; item of a JSON array, from 1. */
  readonly line: number;
}

/** The beginning of a line of a hosts file: the address for the name. */
const HOSTS_FILE = /^(?:0\.0\.0\.0|127\.0\.0\.1|::1?)\s+/;
const COMMENT = /(?:^|\s)#.*$/;

/** @param effect for an allow list, `allow` is read from a file that has `deny` and `allow` */
export async function readHostFile(
  path: string,
  effect: Effect,
  onHost: (host: WrittenHost) => void,
  onProgress: (share: number) => void,
): Promise<void> {
  if (/\.json$/i.test(path)) {
    const hosts = hostsIn(readJsonFile(path), effect);
    if (hosts === null)
      throw new CommandFailure(
        `${path}: has an unknown format: write an array of hosts, {"hosts": […]}, {"list": […]} or {"deny": […]}`,
      );
    for (const [index, text] of hosts.entries()) onHost({ text, line: index + 1 });
    onProgress(1);
    return;
  }
  const take = (text: string | null, line: number): void => {
    if (text === null) onHost({ text: '?'.repeat(LINE_CHARS_MAX), line });
    else {
      const written = text.replace(COMMENT, '').trim().replace(HOSTS_FILE, '');
      if (written !== '') onHost({ text: written, line });
    }
  };
  await readLines(path, () => ({ take }), onProgress);
}

function hostsIn(value: unknown, effect: Effect): string[] | null {
  const record = (typeof value === 'object' && value !== null ? value : {}) as Readonly<
    Record<string, unknown>
  >;
  const found = Array.isArray(value)
    ? value
    : (record[effect === 'allow' ? 'allow' : 'deny'] ?? record.hosts ?? record.list);
  return Array.isArray(found)
    ? found.map((each) => (typeof each === 'string' ? each : JSON.stringify(each)))
    : null;
}
