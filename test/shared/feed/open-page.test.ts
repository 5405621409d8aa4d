/** Consumers decrypt and verify pages of the feed. Altered, omitted, repeated or moved events are errors. */
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { toBase64Url } from '../../../shared/bytes.ts';
import { type EncryptionJwk, encryptionKeyName } from '../../../shared/feed/access.ts';
import type { FeedCloudEvent } from '../../../shared/feed/cloud-event.ts';
import { type Encrypt, encryptorOf, encryptorTo } from '../../../shared/feed/jwe.ts';
import { type FeedKey, openFeedKey } from '../../../shared/feed/open-jwe.ts';
import { openPage } from '../../../shared/feed/open-page.ts';
import { formatEpoch, formatFeedCheckpoint } from '../../../shared/feed/statement.ts';
import { beginEpoch, openCheckpoint } from '../../../shared/feed/verify-notes.ts';
import { newSignerKey, openSigner, openVerifier } from '../../../shared/signed-note.ts';
import { chainOf, FEED, FIRST_STATEMENT, pageOf, START } from '../support/feed-page.ts';

interface Consumer {
  readonly key: FeedKey | null;
  readonly encrypt: () => Promise<Encrypt | null>;
}

const CONSUMERS = ['dir', 'ECDH-ES on P-256', 'ECDH-ES on X25519', 'none'] as const;
const consumers = {} as Record<(typeof CONSUMERS)[number], Consumer>;
const events = chainOf(12);

async function keyOf(jwk: object): Promise<FeedKey> {
  const opened = await openFeedKey(JSON.stringify(jwk));
  if (!opened.ok) throw new Error(opened.message);
  return opened.value;
}

async function ecdhConsumer(crv: 'P-256' | 'X25519'): Promise<Consumer> {
  const pair = await generateKeyPair('ECDH-ES', { crv, extractable: true });
  const publicJwk = (await exportJWK(pair.publicKey)) as EncryptionJwk;
  const kid = await encryptionKeyName(publicJwk);
  return { key: await keyOf(await exportJWK(pair.privateKey)), encrypt: () => encryptorTo(publicJwk, kid) };
}

beforeAll(async () => {
  const secret = crypto.getRandomValues(new Uint8Array(32));
  consumers.dir = {
    key: await keyOf({ kty: 'oct', k: toBase64Url(secret), kid: 'reader#1' }),
    encrypt: () => encryptorOf(secret, 'reader#1'),
  };
  consumers['ECDH-ES on P-256'] = await ecdhConsumer('P-256');
  consumers['ECDH-ES on X25519'] = await ecdhConsumer('X25519');
  consumers.none = { key: null, encrypt: async () => null };
});

const pageFor = async ({ encrypt }: Consumer): Promise<FeedCloudEvent[]> => pageOf(events, await encrypt());

describe('pages of the feed', () => {
  it.each(CONSUMERS)('with %s have the events, and end at the digest of the last', async (name) => {
    const consumer = consumers[name];
    const opened = await openPage(await pageFor(consumer), consumer.key, START);
    expect(opened).toEqual({
      ok: true,
      value: { events, end: { feed: FEED, epoch: 1, position: 12, digest: events.at(-1)!.digest } },
    });
  });

  it.each(CONSUMERS)('with %s may be read in parts, each after the one before it', async (name) => {
    const consumer = consumers[name];
    const page = await pageFor(consumer);
    const first = await openPage(page.slice(0, 5), consumer.key, START);
    const second = first.ok ? await openPage(page.slice(5), consumer.key, first.value.end) : first;
    expect(second).toMatchObject({ ok: true, value: { events: events.slice(5) } });
  });

  it.each(CONSUMERS)('with %s show an event that is left out, repeated or moved', async (name) => {
    const consumer = consumers[name];
    const page = await pageFor(consumer);
    for (let at = 0; at < page.length - 1; at++) {
      const moved = page.with(at, page[at + 1]!).with(at + 1, page[at]!);
      for (const wrong of [page.toSpliced(at, 1), page.toSpliced(at, 0, page[at]!), moved]) {
        const opened = await openPage(wrong, consumer.key, START);
        expect(opened).toMatchObject({ ok: false, code: 'FEED_CHAIN_BROKEN' });
      }
    }
    // A later page in place of the next one.
    expect(await openPage(page.slice(3), consumer.key, START)).toMatchObject({ code: 'FEED_CHAIN_BROKEN' });
  });

  it.each(CONSUMERS)('with %s show each altered character of an event', async (name) => {
    const consumer = consumers[name];
    const [page] = [await pageFor(consumer)];
    // A block and the end of an entry. They cover all kinds of bytes: envelope, header, IV, text and tag.
    for (const index of [0, 4]) {
      const before = index === 0 ? START : { ...START, position: index, digest: events[index - 1]!.digest };
      const text = JSON.stringify(page[index]);
      for (let at = 0; at < text.length; at++) {
        const altered = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
        let parsed: unknown;
        try {
          parsed = JSON.parse(altered);
        } catch {
          continue;
        }
        const opened = await openPage([parsed], consumer.key, before);
        expect([at, text.slice(Math.max(0, at - 20), at + 5), opened.ok]).toEqual([
          at,
          expect.anything(),
          false,
        ]);
      }
    }
  });

  it('are for one consumer alone', async () => {
    for (const name of CONSUMERS)
      for (const other of CONSUMERS) {
        if (name === other || consumers[other].key === null) continue;
        const opened = await openPage(await pageFor(consumers[name]), consumers[other].key, START);
        expect([name, other, opened]).toMatchObject([name, other, { ok: false, code: 'FEED_KEY_OTHER' }]);
      }
  });

  it('never repeat an IV, and agree on one key for all events of a response', async () => {
    const encrypt = await consumers['ECDH-ES on P-256'].encrypt();
    const page = await pageOf(chainOf(256), encrypt);
    const parts = page.map(({ data }) => String(data).split('.'));
    expect(new Set(parts.map(([header]) => header)).size).toBe(1);
    expect(new Set(parts.map(([, , iv]) => iv)).size).toBe(256);
    const again = await pageOf(chainOf(1), await consumers['ECDH-ES on P-256'].encrypt());
    expect(String(again[0]!.data).split('.')[0]).not.toBe(parts[0]![0]);
  });

  it('that are no list of events, or hold no event, are refused', async () => {
    const { key } = consumers.dir;
    for (const wrong of [null, {}, 'page', [null], [[]], ['event'], [{}]])
      expect((await openPage(wrong, key, START)).ok).toBe(false);
    const encrypt = (await consumers.dir.encrypt())!;
    const [event] = await pageFor(consumers.dir);
    for (const data of ['no JSON', '{}', '[]', 'null', '{"position":1}'])
      expect(await openPage([{ ...event, data: await encrypt(data) }], key, START)).toMatchObject({
        ...{ ok: false, code: 'FEED_FORM' },
      });
  });
});

describe('keys of consumers', () => {
  it.each([
    ['no JSON', 'feed.jwk'],
    ['a short secret', '{"kty":"oct","k":"c2hvcnQ"}'],
    ['a public key', '{"kty":"EC","crv":"P-256","x":"","y":""}'],
    ['another curve', '{"kty":"EC","crv":"P-384","x":"","y":"","d":""}'],
    ['no key of its curve', '{"kty":"OKP","crv":"X25519","x":"AA","d":"AA"}'],
  ])('are refused: %s', async (_, text) => {
    expect(await openFeedKey(text)).toMatchObject({ ok: false, code: 'FEED_KEY_INVALID' });
  });

  it.each([
    ['not on P-256', { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) }],
    ['of low order on X25519', { kty: 'OKP', crv: 'X25519', x: 'A'.repeat(43) }],
  ] as const)('that are %s encrypt nothing', async (_, jwk) => {
    expect(await encryptorTo(jwk, 'kid')).toBeNull();
  });
});

describe('notes of the feed', () => {
  it('begin each epoch after the last event of the one before it, signed by the service alone', async () => {
    const signer = (await openSigner((await newSignerKey('numgate.example'))!))!;
    const verifier = (await openVerifier(signer.verifierKey))!;
    const stranger = (await openSigner((await newSignerKey('numgate.example'))!))!;
    const first = await beginEpoch(await signer.sign(FIRST_STATEMENT), verifier, null);
    expect(first).toEqual({ ok: true, value: START });
    const end = { ...START, position: 12, digest: events.at(-1)!.digest };
    const next = { feed: FEED, epoch: 2, first: 13, previous: end.digest, at: '2027-02-25T00:00:00.000Z' };
    const note = await signer.sign(formatEpoch(next));
    const begun = await beginEpoch(note, verifier, end);
    expect(begun).toMatchObject({ ok: true, value: { epoch: 2, position: 12 } });
    if (!begun.ok) return;
    const more = chainOf(3, begun.value);
    const page = await pageOf(more, null, begun.value);
    expect(await openPage(page, null, begun.value)).toMatchObject({ ok: true, value: { events: more } });
    // Without the statement, nothing shows what the epoch follows.
    expect(await openPage(page, null, end)).toMatchObject({ ok: false, code: 'FEED_EPOCH_NEXT' });
    const wrong = [
      [await stranger.sign(formatEpoch(next)), end, 'FEED_NOTE_UNSIGNED'],
      [note.replace('\n13\n', '\n14\n'), end, 'FEED_NOTE_UNSIGNED'],
      [formatEpoch(next), end, 'FEED_NOTE_FORM'],
      [note, null, 'FEED_NOTE_OTHER'],
      [note, { ...end, digest: START.digest }, 'FEED_NOTE_OTHER'],
      [note, { ...end, position: 11 }, 'FEED_NOTE_OTHER'],
      [note, { ...end, feed: 'f'.repeat(16) }, 'FEED_NOTE_OTHER'],
      [note, { ...end, epoch: 2 }, 'FEED_NOTE_OTHER'],
    ] as const;
    for (const [text, before, code] of wrong)
      expect(await beginEpoch(text, verifier, before)).toMatchObject({ ok: false, code });
    const checkpoint = {
      feed: FEED,
      epoch: 1,
      position: 12,
      digest: end.digest,
      at: '2026-11-27T03:12:09.000Z',
    };
    const signed = await signer.sign(formatFeedCheckpoint(checkpoint));
    expect(await openCheckpoint(signed, verifier)).toEqual({ ok: true, value: checkpoint });
    expect(await openCheckpoint(signed, null)).toEqual({ ok: true, value: checkpoint });
    expect(await openCheckpoint(note, verifier)).toMatchObject({ code: 'FEED_NOTE_FORM' });
    expect(await openCheckpoint(signed.replace('\n12\n', '\n13\n'), verifier)).toMatchObject({
      ...{ code: 'FEED_NOTE_UNSIGNED' },
    });
  });
});
