/**
 * Concurrent changes. Every change is made once, in one order without gaps, and a polling reader sees changes
 * in that order.
 */
import { describe, expect, it } from 'vitest';
import type { EntryPage } from '../../shared/admin/entries.ts';
import { check } from './support/send.ts';
import { adminValue, change } from './support/send-admin.ts';
import { world } from './support/world.ts';

const ADMINS = 50;
const CHANGES_EACH = 20;
const WATCHED = '+821076999999';
/** How often the watched number is blocked or unblocked meanwhile. */
const FLIPS = 4;
const SETTLE_MS = 240_000;

function numberOf(admin: number, index: number): string {
  return `+8210${76_000_000 + admin * 1_000 + index}`;
}

async function allEntries(): Promise<Map<string, number>> {
  const seqs = new Map<string, number>();
  let query = '';
  for (;;) {
    const page = await adminValue<EntryPage>(`entries${query}`);
    for (const { number, seq } of page.entries) if (number !== null) seqs.set(number, seq);
    if (page.next === null) return seqs;
    query = `?upTo=${page.upTo}&after=${page.next}`;
  }
}

describe('1,000 live changes from 50 clients at once', () => {
  it('every change gets its own seq, and a reader sees them in order', async () => {
    const { seq: before } = await adminValue<{ seq: number }>('status');
    const seen: { seq: number; verdict: string }[] = [];
    const read = async (): Promise<void> => {
      const { seq, verdict } = await check({ to: WATCHED }, { base: world().admin });
      seen.push({ seq, verdict });
    };
    // Read before the first change, because even a slow first response could already show a change.
    await read();
    let reading = true;
    const reader = (async () => {
      while (reading) await read();
    })();
    const untilSeen = async (seq: number): Promise<void> => {
      const deadline = Date.now() + SETTLE_MS;
      while ((seen.at(-1)?.seq ?? 0) < seq && Date.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    };
    const taken: number[] = [];
    const admins = Array.from({ length: ADMINS }, async (_, admin) => {
      for (let index = 0; index < CHANGES_EACH; index++) {
        taken.push(await change('block', [{ number: numberOf(admin, index) }]));
      }
    });
    const flips: { seq: number; verdict: string }[] = [];
    const flipping = (async () => {
      for (let flip = 0; flip < FLIPS; flip++) {
        const op = flip % 2 === 0 ? 'block' : 'unblock';
        const seq = await change(op, [{ number: WATCHED }]);
        flips.push({ seq, verdict: op === 'block' ? 'block' : 'allow' });
        await untilSeen(seq);
      }
    })();
    await Promise.all([...admins, flipping]);
    const all = [...taken, ...flips.map(({ seq }) => seq)].sort((a, b) => a - b);
    // No seq is lost, used twice or skipped.
    expect(all).toEqual(Array.from({ length: all.length }, (_, index) => before + 1 + index));
    const entries = await allEntries();
    for (let admin = 0; admin < ADMINS; admin++) {
      for (let index = 0; index < CHANGES_EACH; index++)
        expect(entries.has(numberOf(admin, index))).toBe(true);
    }
    await untilSeen(all.at(-1)!);
    reading = false;
    await reader;
    expect(seen.at(-1)).toEqual({ seq: all.at(-1)!, verdict: flips.at(-1)!.verdict });
    for (const [index, { seq, verdict }] of seen.entries()) {
      expect(seq).toBeGreaterThanOrEqual(seen[Math.max(0, index - 1)]!.seq);
      // At every seq the verdict is that of the latest flip up to this seq.
      expect(verdict).toBe(flips.findLast((flip) => flip.seq <= seq)?.verdict ?? 'allow');
    }
    // The test waited for each flip, so the reader saw all of them.
    const seenVerdicts = seen
      .map(({ verdict }) => verdict)
      .filter((verdict, at, all) => verdict !== all[at - 1]);
    expect(seenVerdicts).toEqual(['allow', ...flips.map(({ verdict }) => verdict)]);
  });
});
