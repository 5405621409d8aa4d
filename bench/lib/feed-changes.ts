/**
 * Makes random changes in an installation. Two authorities block, unblock, clear and undo numbers and sender IDs, for senders
 * and recipients, with and without an end. Rules block some numbers, and lists of a release contain some of the same numbers.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { newKey } from '../../cli/secrets.ts';
import type { EntriesDone, EntryItem, UndoDone } from '../../shared/admin/entries.ts';
import type { RuleBlockInfo, RuleBlockPage } from '../../shared/admin/rule-blocks.ts';
import type { Subject } from '../../shared/verdict.ts';
import type { FeedInstallation } from './feed-pair.ts';
import { randomFrom } from './random-lists.ts';
import { addPartner, type BenchPartner, reportedNumber, reportOf } from './report-partners.ts';

const AUTHORITIES = ['kisa', 'ktoa'] as const;
const CODES = ['SENDER_REPORTED', 'NUMBER_SUSPENDED', 'SENDER_IDENTITY_OPTOUT'] as const;
const SUBJECTS = [['from'], ['to'], ['from', 'to']] as const;
/** An end within the run, in ms after the change. */
const SHORT_MS = 8_000;
const LONG_MS = 30 * 86_400_000;
/** The rule `burst-10m` needs 30 distinct reporters, at most 10 of them from one partner. */
const REPORTERS = 30;
const PARTNERS = 3;
/** Longest wait for a rule block, in ms. */
const RULE_WAIT_MS = 120_000;
const CHECK_EVERY_MS = 200;

export interface TouchedParty {
  readonly subject: Subject;
  /** A number, or a sender ID. */
  readonly party: string;
}

export interface Sizes {
  readonly numbers: number;
  readonly senders: number;
  /** How many numbers rules block. */
  readonly reported: number;
  /** Maximum number of items in one operation. */
  readonly batch: number;
}

export class FeedChanges {
  readonly #installation: FeedInstallation;
  readonly #sizes: Sizes;
  readonly #random: () => number;
  readonly #tokens: string[] = [];
  /** Operations that can be undone, by authority. */
  readonly #operations: number[][] = [[], []];
  readonly #touched = new Map<string, TouchedParty>();
  #partners: BenchPartner[] = [];
  /** When the last short entry ends, in ms since 1970. */
  lastEndMs = 0;
  /** Entries that were set, lifted or restored. Each subject of a number counts. */
  changes = 0;

  constructor(installation: FeedInstallation, sizes: Sizes, seed: number) {
    this.#installation = installation;
    this.#sizes = sizes;
    this.#random = randomFrom(seed + 31);
  }

  /** Every changed party, with each subject that a change covered. The feed says nothing about the other subject. */
  get touched(): TouchedParty[] {
    return [...this.#touched.values()];
  }

  async setUp(): Promise<void> {
    const { admin } = this.#installation;
    for (const id of AUTHORITIES) {
      const organisation = { id, displayName: id, authority: id, roles: ['regulator'] };
      await admin('PUT', `organisations/${id}`, { organisation });
      const { key, secretSha256 } = await newKey(id);
      const token = { id, secretSha256: [secretSha256], role: 'regulator', organisation: id };
      await admin('PUT', `tokens/${id}`, { token });
      this.#tokens.push(key);
    }
    const put = (path: string, body: object) => admin('PUT', path, body);
    this.#partners = await Promise.all(
      Array.from({ length: PARTNERS }, (_, index) =>
        addPartner(put, this.#installation.service.url, `feed-${index}`, { kind: 'subscriber' }),
      ),
    );
    await this.release();
  }

  /** Builds and pushes the lists of the installation, together with the current live layer. */
  async release(): Promise<void> {
    const { folder, numgate } = this.#installation;
    const own = (at: number, count: number): string[] =>
      Array.from({ length: count }, (_, index) => this.#number(at + 2 * index));
    const size = Math.ceil(this.#sizes.numbers / 20);
    const lists = AUTHORITIES.flatMap((authority, parity) => [
      { name: `suspended-${authority}`, reason: 'NUMBER_SUSPENDED', authority, lines: own(parity, size) },
      {
        ...{ name: `partners-${authority}`, reason: 'ALLOW_OVERRIDE', effect: 'allow', authority },
        lines: own(parity + 2 * size, Math.ceil(size / 4)),
      },
      {
        ...{ name: `abroad-${authority}`, reason: 'OVERSEAS_NUMBER_LISTED', effect: 'label', authority },
        lines: own(parity + 4 * size, Math.ceil(size / 2)),
      },
    ]);
    for (const { name, lines } of lists) writeFileSync(join(folder, `${name}.txt`), `${lines.join('\n')}\n`);
    const catalogue = join(folder, 'first.lists.json');
    const inputs = lists.map(({ name }) => ({ file: `${name}.txt`, list: name }));
    writeFileSync(catalogue, JSON.stringify({ lists: lists.map(({ lines: _, ...list }) => list), inputs }));
    const built = (await numgate('build', catalogue, '--out', join(folder, 'out'))) as { folder: string };
    await numgate('push', built.folder, '--unproven', '--wait');
    // The operations are now part of a release, so they can no longer be undone.
    for (const operations of this.#operations) operations.length = 0;
  }

  /** Makes random operations until this many more entries have changed. */
  async make(count: number): Promise<void> {
    for (const end = this.changes + count; this.changes < end; ) {
      const parity = this.#below(2);
      const undo = this.#below(7) === 0 ? this.#operations[parity]!.pop() : undefined;
      if (undo === undefined) await this.#change(parity, Math.min(this.#sizes.batch, end - this.changes));
      else await this.#undo(parity, undo);
    }
  }

  async #change(parity: number, most: number): Promise<void> {
    const op = (['block', 'block', 'block', 'unblock', 'clear'] as const)[this.#below(5)]!;
    const subjects = SUBJECTS[this.#below(3)]!;
    const items = this.#items(parity, 1 + this.#below(most), subjects.length === 1 && subjects[0] === 'to');
    const end = op === 'clear' ? null : [null, null, SHORT_MS, LONG_MS][this.#below(4)]!;
    const until = end === null ? null : Date.now() + end;
    if (end === SHORT_MS) this.lastEndMs = Math.max(this.lastEndMs, until!);
    const body = {
      ...{ op, items, subjects },
      ...(op === 'block' ? { code: CODES[this.#below(CODES.length)] } : {}),
      ...(until === null ? {} : { until: new Date(until).toISOString() }),
    };
    const { operation } = await this.#installation.admin<EntriesDone>(
      'POST',
      'entries',
      body,
      this.#tokens[parity],
    );
    this.#operations[parity]!.push(operation!);
    this.#touch(items, subjects);
    this.changes += items.length * subjects.length;
  }

  async #undo(parity: number, operation: number): Promise<void> {
    const path = `operations/${operation}/undo`;
    const done = await this.#installation.admin<UndoDone>(
      'POST',
      path,
      { skipChanged: true },
      this.#tokens[parity],
    );
    this.changes += done.entries;
  }

  /** Random items of one authority. Neither authority may change entries of the other. */
  #items(parity: number, count: number, isNumbersOnly: boolean): EntryItem[] {
    const { numbers, senders } = this.#sizes;
    const chosen = new Map<string, EntryItem>();
    while (chosen.size < count) {
      const isSender = !isNumbersOnly && this.#below(10) === 0;
      const index = 2 * this.#below((isSender ? senders : numbers) / 2) + parity;
      const item = isSender ? { source: `SHOP-${wordOf(index)}` } : { number: this.#number(index) };
      chosen.set(JSON.stringify(item), item);
    }
    return [...chosen.values()];
  }

  #touch(items: readonly EntryItem[], subjects: readonly Subject[]): void {
    for (const subject of subjects) {
      for (const item of items) {
        const party = 'number' in item ? item.number : item.source;
        // A sender ID is never the recipient of a check.
        if ('number' in item || subject === 'from')
          this.#touched.set(`${subject} ${party}`, { subject, party });
      }
    }
  }

  #number(index: number): string {
    return reportedNumber(this.#sizes.reported + index);
  }

  /** Reports numbers until rules block them, and confirms every second rule block. */
  async report(): Promise<void> {
    const { admin } = this.#installation;
    const numbers = Array.from({ length: this.#sizes.reported }, (_, index) => reportedNumber(index));
    for (const [partner, { reporter }] of this.#partners.entries()) {
      const own = numbers.flatMap((from, number) =>
        Array.from({ length: REPORTERS }, (_, index) => number * REPORTERS + index)
          .filter((index) => index % PARTNERS === partner)
          .map((index) => reportOf(index, from, index)),
      );
      for (const answer of await reporter.reportBatch(own))
        if (!('status' in answer)) throw new Error(`a report was refused: ${answer.error.message}`);
    }
    const settled = (state: string): Promise<RuleBlockInfo[]> => this.#ruleBlocks(numbers.length, state);
    const blocks = await settled('provisional');
    const confirmed = blocks.filter((_, index) => index % 2 === 0);
    for (const { id } of confirmed) await admin('POST', `rule-blocks/${id}/confirm`, {});
    await settled('');
    this.#touch(
      numbers.map((number) => ({ number })),
      ['from'],
    );
    this.changes += numbers.length;
  }

  /** Waits until the live layer has this many rule blocks in this state, and returns them. @param state '' for any */
  async #ruleBlocks(count: number, state: string): Promise<RuleBlockInfo[]> {
    for (const end = Date.now() + RULE_WAIT_MS; ; await sleep(CHECK_EVERY_MS)) {
      const path = 'rule-blocks?limit=100';
      const { ruleBlocks } = await this.#installation.admin<RuleBlockPage>('GET', path);
      const found = ruleBlocks.filter((block) => !block.pending && (state === '' || block.state === state));
      if (found.length >= count) return found;
      if (Date.now() > end) throw new Error(`rules did not block the reported numbers in ${RULE_WAIT_MS} ms`);
    }
  }

  /** Blocks a number. Once this block is visible, so are all changes before it. */
  async mark(number: string): Promise<void> {
    await this.#installation.admin('POST', 'entries', { op: 'block', items: [{ number }] });
  }

  #below(limit: number): number {
    return Math.floor((this.#random() / 2 ** 32) * limit);
  }
}

/** Writes an index in letters only. A sender ID with many digits could be read as a number. */
function wordOf(index: number): string {
  return [...String(index)].map((digit) => 'ABCDEFGHIJ'[Number(digit)]).join('');
}
