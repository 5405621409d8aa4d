/** Campaigns and hosts of a pull: exact through interruptions and snapshots, with removals. Also their files. */
import '../support/workspace.ts';
import { mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FeedEntries } from '../../../cli/feed/entries.ts';
import { writeLists } from '../../../cli/feed/list-files.ts';
import { LIST_DEFAULTS, planLists } from '../../../cli/feed/lists.ts';
import { statePath } from '../../../cli/feed/puller.ts';
import { readState } from '../../../cli/feed/state-file.ts';
import { planTexts } from '../../../cli/feed/text-files.ts';
import { FeedTexts } from '../../../cli/feed/texts.ts';
import { ownTextKeyId } from '../../../cli/secrets.ts';
import { readTextCatalogue } from '../../../cli/text/text-catalogue.ts';
import type { CampaignEntry, HostEntry, TextEntry } from '../../../shared/feed/entry.ts';
import { HOST_LISTS_MAX } from '../../../shared/limits/text.ts';
import { deriveFingerprintKey } from '../../../shared/text/fingerprint.ts';
import { numgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { BLOCK, FakeFeed } from '../support/fake-feed.ts';
import { consumerOf, entryOf } from '../support/feed-consumer.ts';
import { FOLDER } from '../support/workspace.ts';

const AT = '2026-11-27T01:02:03.004Z';
const LATER = '2099-01-01T00:00:00.000Z';
const KEY = '0123456789abcdef';

/** @param id determines the fingerprint, too */
function campaignOf(id: number, more: Partial<CampaignEntry> = {}): CampaignEntry {
  return {
    ...{ subject: 'campaign', fingerprint: Buffer.alloc(128, id).toString('base64'), textKeyId: KEY },
    ...{
      authority: 'kisa',
      rule: null,
      stage: null,
      firstSeen: AT,
      lastSeen: AT,
      reporters: id,
      until: LATER,
    },
    ...more,
  };
}

function hostOf(host: string, more: Partial<HostEntry> = {}): HostEntry {
  return { ...{ subject: 'host', host, list: 'phish', effect: 'block', authority: 'kisa' }, ...more };
}

/** Seeded random numbers. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
}

const prints = (campaigns: readonly CampaignEntry[]): string[] =>
  campaigns.map(({ fingerprint, reporters }) => `${fingerprint.slice(0, 4)} ${reporters}`).sort();
const names = (hosts: readonly HostEntry[]): string[] =>
  hosts.map(({ host, effect }) => `${host} ${effect}`).sort();

function currentOf<Kind extends TextEntry['subject']>(feed: FakeFeed, kind: Kind) {
  return [...feed.current.values()].flatMap(({ entry }) =>
    entry.subject === kind ? [entry as Extract<TextEntry, { subject: Kind }>] : [],
  );
}

describe('a pull', () => {
  it.each([1, 2, 3])(
    'has the campaigns and hosts of the feed, and what it takes back (seed %i)',
    async (seed) => {
      const feed = await FakeFeed.start();
      const random = randomOf(seed);
      feed.isEncrypted = seed !== 3;
      const consumer = consumerOf(feed);
      /** Fingerprints that some pull has received. */
      const known = new Set<string>();
      const changeAny = (): void => {
        const [what, which] = [random(6), random(12)];
        const references = [...feed.current.keys()];
        if (what < 2 && references.length > 0) feed.remove(references[random(references.length)]!);
        else if (what === 2)
          feed.append(hostOf(`h${which}.example`, { effect: random(2) === 0 ? 'block' : 'label' }));
        else if (what === 3) feed.append(entryOf(which));
        else feed.append(campaignOf(which, { reporters: random(5) }));
      };
      for (let round = 0; round < 10; round++) {
        for (let count = random(15); count > 0; count--) {
          changeAny();
          if (random(9) === 0) await feed.openEpoch();
        }
        // Earlier events are gone, so the pull takes the snapshot.
        if (random(3) === 0) feed.first = Math.max(1, feed.position - random(3));
        for (let cuts = random(4); cuts > 0; cuts--)
          await failureOf(async () => (await consumer.puller(random(4))).pull()).catch(() => undefined);
        await (await consumer.puller()).pull();
        const { texts } = (await readState(statePath(consumer.folder))).entries;
        const [campaigns, hosts] = [currentOf(feed, 'campaign'), currentOf(feed, 'host')];
        expect(prints(texts.campaigns)).toEqual(prints(campaigns));
        expect(names(texts.hosts)).toEqual(names(hosts));
        const current = new Set(campaigns.map(({ fingerprint }) => fingerprint));
        const revoked = new Set(texts.revoked.map(({ fingerprint }) => fingerprint));
        for (const fingerprint of known) expect(revoked.has(fingerprint)).toBe(!current.has(fingerprint));
        for (const fingerprint of current) {
          expect(revoked.has(fingerprint)).toBe(false);
          known.add(fingerprint);
        }
      }
      expect(known.size).toBeGreaterThan(5);
    },
  );

  it('writes files for imports and builds, and leaves out campaigns of another TEXT_KEY', async () => {
    const secret = Buffer.alloc(32, 7);
    const { id: own } = await deriveFingerprintKey(new Uint8Array(secret));
    const feed = await FakeFeed.start();
    const consumer = consumerOf(feed);
    feed.append(BLOCK);
    feed.append(campaignOf(1, { textKeyId: own }));
    const gone = feed.append(campaignOf(2, { textKeyId: own, rule: 'loan-texts@1', stage: 'confirmed' }));
    feed.append(campaignOf(3));
    feed.append(hostOf('b.example'));
    feed.append(hostOf('a.example'));
    feed.append(hostOf('good.example', { effect: 'allow', authority: 'ktoa' }));
    await (await consumer.puller()).pull();
    feed.remove(gone);
    feed.replace = () => undefined;
    process.env.NUMGATE_FEED_KEY = 'reader.key';
    process.env.TEXT_KEY = secret.toString('base64');
    expect(await ownTextKeyId()).toBe(own);
    const pull = async (...more: string[]) =>
      numgate(
        ...['feed', 'pull', feed.url, '--out', consumer.folder, '--jwk', join(consumer.folder, 'jwk.json')],
        ...['--verifier-key', feed.signer.verifierKey, '--json', ...more],
      );
    const { out, errors, code } = await pull();
    // No key, even if the project has one.
    process.env.TEXT_KEY = '';
    expect([code, errors]).toEqual([
      0,
      expect.stringContaining('1 campaign left out: they were made with another TEXT_KEY'),
    ]);
    const shown = JSON.parse(out) as {
      campaigns: { confirmed: number; revoked: number; foreign: number; file: string };
      hostLists: unknown;
      textCatalogue: string;
    };
    expect(shown).toMatchObject({
      campaigns: { confirmed: 1, revoked: 1, foreign: 1 },
      hostLists: [
        { name: 'feed-hosts-allow-ktoa', hosts: 1 },
        { name: 'feed-hosts-kisa', hosts: 2 },
      ],
    });
    const lines = readFileSync(shown.campaigns.file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { ...importable(campaignOf(1, { textKeyId: own })), state: 'confirmed' },
      {
        ...importable(campaignOf(2, { textKeyId: own, rule: 'loan-texts@1', stage: 'confirmed' })),
        state: 'revoked',
      },
    ]);
    const catalogue = readTextCatalogue(shown.textCatalogue, {}, true);
    expect(catalogue.hostLists).toMatchObject([
      { name: 'feed-hosts-allow-ktoa', effect: 'allow', authority: 'ktoa', fromFeed: true },
      { name: 'feed-hosts-kisa', effect: 'block', authority: 'kisa', fromFeed: true },
    ]);
    expect(readFileSync(catalogue.hostLists[1]!.file, 'utf8')).toBe('a.example\nb.example\n');
    // Without the key, all campaigns are written.
    expect(JSON.parse((await pull('--no-unblocks')).out)).toMatchObject({
      campaigns: { confirmed: 2, foreign: 0 },
      hostLists: [{ name: 'feed-hosts-kisa', hosts: 2 }],
    });
  });
});

function importable({ subject: _, ...campaign }: CampaignEntry): object {
  return campaign;
}

function textsOf(...entries: readonly TextEntry[]): FeedTexts {
  const texts = new FeedTexts();
  for (const [index, entry] of entries.entries()) texts.set(`r${index}`, entry);
  return texts;
}

describe('the files of a pull', () => {
  it('have the same name for the same state, and another one after a change', () => {
    const folder = mkdtempSync(join(FOLDER, 'texts-'));
    const write = (texts: readonly TextEntry[]): void => {
      const entries = new FeedEntries();
      for (const [index, entry] of texts.entries()) entries.set(`r${index}`, entry);
      const plan = planTexts(entries.texts, null, LIST_DEFAULTS);
      const place = { position: 7, at: AT };
      writeLists(folder, planLists(entries, LIST_DEFAULTS), plan, entries, place);
    };
    write([campaignOf(1), hostOf('a.example')]);
    write([hostOf('a.example'), campaignOf(1)]);
    expect(readdirSync(join(folder, 'lists'))).toHaveLength(1);
    write([campaignOf(1), hostOf('b.example')]);
    expect(readdirSync(join(folder, 'lists'))).toHaveLength(2);
    expect(readdirSync(join(folder, 'current'))).toEqual([
      ...['campaigns.ndjson', 'feed-hosts-kisa.txt', 'feed.lists.json', 'feed.text.json'],
    ]);
    expect(dirname(join(folder, 'current'))).toBe(folder);
  });

  it('need at most as many host lists as a text release has', async () => {
    const many = Array.from({ length: HOST_LISTS_MAX + 1 }, (_, index) =>
      hostOf(`h${index}.example`, { authority: `authority-${index}` }),
    );
    const failure = await failureOf(async () => planTexts(textsOf(...many), null, LIST_DEFAULTS));
    expect(failure.message).toContain('use --authority <name>');
    const { hostLists } = planTexts(textsOf(...many), null, { ...LIST_DEFAULTS, authority: 'me' });
    expect(hostLists.map(({ hosts }) => hosts.length)).toEqual([HOST_LISTS_MAX + 1]);
  });
});

describe('campaigns of a pull', () => {
  it('that were revoked are forgotten once their end has passed', () => {
    const texts = textsOf(campaignOf(1, { until: '2026-12-01T00:00:00.000Z' }), campaignOf(2));
    texts.delete('r0');
    texts.delete('r1');
    texts.prune(Date.parse('2026-11-30T00:00:00Z'));
    expect(texts.revoked).toHaveLength(2);
    texts.prune(Date.parse('2026-12-01T00:00:00Z'));
    expect(prints(texts.revoked)).toEqual(prints([campaignOf(2)]));
    // The campaign is confirmed again.
    texts.set('r9', campaignOf(2));
    expect([texts.revoked.length, texts.campaigns.length]).toEqual([0, 1]);
  });

  it('whose reference gets another fingerprint leave the old one revoked', () => {
    const texts = textsOf(campaignOf(1));
    texts.set('r0', campaignOf(2));
    expect([prints(texts.campaigns), prints(texts.revoked)]).toEqual([
      prints([campaignOf(2)]),
      prints([campaignOf(1)]),
    ]);
  });

  it.each<[string, TextEntry]>([
    ['fingerprint', campaignOf(1, { fingerprint: 'AAAA' })],
    ['key', campaignOf(1, { textKeyId: '../x' })],
    ['authority', campaignOf(1, { authority: 'a/b' })],
    ['rule', campaignOf(1, { rule: 'a\nb' })],
    ['time', campaignOf(1, { until: 'never' })],
    ['host', hostOf('a.example\nb.example')],
    ['list', hostOf('a.example', { list: '../etc' })],
    ['authority of a host', hostOf('a.example', { authority: '' })],
  ])('and hosts are refused with another form of %s', async (_, entry) => {
    const failure = await failureOf(async () => textsOf(entry));
    expect(failure.message).toContain('has an invalid field');
  });
});
