/**
 * `numgate blocks`: what was blocked on a day, for clients that record blocks. The numbers are keyed.
 * LIST_KEY can reveal them, but only on request.
 */

import { SUFFIX_COUNT, toE164 } from '../../shared/numbers/number.ts';
import type { BlockRecord } from '../../shared/screening/block-record.ts';
import type { Permutation } from '../../shared/set/permutation.ts';
import type { Admin } from '../admin.ts';

/**
 * Records of one day (UTC), as lines of JSON.
 * @param permutation reveals the numbers; null leaves them keyed
 */
export async function* blockLines(
  admin: Admin,
  day: string,
  permutation: Permutation | null,
): AsyncGenerator<string> {
  let after: string | null = null;
  do {
    const page: { text: string; next: string | null } = await admin.page('blocks', { day, after });
    for (const line of page.text.split('\n')) {
      if (line !== '') yield permutation === null ? line : revealed(line, permutation);
    }
    after = page.next;
  } while (after !== null);
}

function revealed(line: string, permutation: Permutation): string {
  const record = JSON.parse(line) as BlockRecord;
  const numberOf = (text: string | null): string | null => {
    const [, head, tail] = /^(\d+)-(\d{8})$/.exec(text ?? '') ?? [];
    return head === undefined ? text : toE164(Number(head) * SUFFIX_COUNT + permutation.invert(Number(tail)));
  };
  return JSON.stringify({ ...record, from: numberOf(record.from), to: numberOf(record.to) });
}
