/** `numgate feed` against the real service: a pull as an admin runs it, what stops it, and interruptions at any moment. */
import '../support/workspace.ts';
import { existsSync, mkdtempSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { statePath } from '../../../cli/feed/puller.ts';
import { readState } from '../../../cli/feed/state-file.ts';
import type { FeedCloudEvent } from '../../../shared/feed/cloud-event.ts';
import { newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { numgate, start } from '../support/command.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

let service: TestService;
let keys: string[];
let cursor = '';

beforeAll(async () => {
  service = await startTestService();
  const added = await json('clients', 'add', 'second', '--rights', 'feed', '--feed', 'dir');
  process.env.NUMGATE_FEED_KEY = added.key as string;
  const { jwk } = await json('clients', 'feed-key', 'second');
  const { verifierKey } = (await openSigner(SECRETS.CHECKPOINT_KEY))!;
  keys = ['--jwk', write('feed.jwk.json', JSON.stringify(jwk)), '--verifier-key', verifierKey];
  await block('010-2000-0001');
  const { feed } = await pulledUntil(outFolder(), 1);
  cursor = `${feed as string}.1.0`;
});

async function json(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, out, errors } = await numgate('--json', ...args);
  if (code !== 0) throw new Error(errors);
  return JSON.parse(out) as Record<string, unknown>;
}

function block(...numbers: readonly string[]): Promise<unknown> {
  return json('block', ...numbers, '--subject', 'from', '--reason', 'a test');
}

function outFolder(): string {
  return mkdtempSync(join(FOLDER, 'feed-'));
}

/** Pulls once the feed has this many events. */
function pulledUntil(out: string, position: number): Promise<Record<string, unknown>> {
  return vi.waitFor(async () => {
    const pulled = await json('feed', 'pull', service.url, ...keys, '--out', out);
    expect(pulled.position).toBeGreaterThanOrEqual(position);
    return pulled;
  }, HANG_MS);
}

describe('feed pull', () => {
  it('begins with a snapshot, reads on after it, and lists what the feed says', async () => {
    const out = outFolder();
    const first = await pulledUntil(out, 1);
    expect(first).toMatchObject({ isSnapshot: true, events: 0, entries: first.position });
    await block('010-2000-0002', '010-2000-0003');
    const next = await pulledUntil(out, (first.position as number) + 2);
    expect(next).toMatchObject({ isSnapshot: false, entries: next.position });
    const folder = realpathSync(join(out, 'current'));
    const rows = readFileSync(join(folder, 'feed-from-sender-reported-root.ndjson'), 'utf8');
    expect(rows).toContain('{"number":"+821020000003"}\n');
    await json('clear', '010-2000-0003', '--reason', 'a test');
    await vi.waitFor(async () => {
      await pulledUntil(out, (next.position as number) + 1);
      const cleared = join(realpathSync(join(out, 'current')), 'feed-from-sender-reported-root.ndjson');
      expect(readFileSync(cleared, 'utf8')).not.toContain('+821020000003');
    }, HANG_MS);
    const status = await json('feed', 'status', '--out', out);
    expect(status).toMatchObject({ url: service.url, feed: next.feed, effects: { block: status.entries } });
  });

  it('follows until Ctrl-C, and leaves a whole state however it is killed', async () => {
    const out = outFolder();
    const args = ['--json', 'feed', 'pull', service.url, ...keys, '--out', out, '--follow', '--every', '1'];
    for (const [round, signal] of (['SIGINT', 'SIGKILL'] as const).entries()) {
      const { child, result } = start(args);
      const numberOf = (index: number) => `+82103000${round}00${index}`;
      for (const index of [0, 1]) {
        await block(numberOf(index));
        await vi.waitFor(async () => {
          const { entries } = await readState(statePath(out));
          expect([...entries].map(([, { number }]) => number)).toContain(numberOf(index));
        }, HANG_MS);
      }
      const ended = new Promise((resolve) => child.once('exit', (code, by) => resolve(code ?? by)));
      child.kill(signal);
      expect(await ended).toBe(signal === 'SIGINT' ? 130 : 'SIGKILL');
      expect((await result).out).toContain('"position":');
      // Only a killed process leaves its lock, and the next process takes the lock over.
      expect(existsSync(join(out, 'pull.lock'))).toBe(signal === 'SIGKILL');
      const { place, entries } = await readState(statePath(out));
      expect(place.checkpoint).not.toBeNull();
      expect(entries.size).toBeGreaterThan(0);
    }
    await pulledUntil(out, 1);
    expect(existsSync(join(out, 'pull.lock'))).toBe(false);
  });

  it.each([
    ['P-256', 1],
    ['X25519', 2],
    ['none', 3],
  ])('reads what is encrypted for a key of its own: %s', async (crv, index) => {
    const id = `own-${crv.toLowerCase()}`;
    const own = process.env.NUMGATE_FEED_KEY;
    let options = ['--feed', 'none'];
    let jwk: string[] = [];
    if (crv !== 'none') {
      const pair = await generateKeyPair('ECDH-ES', { crv, extractable: true });
      const [secret, open] = await Promise.all([exportJWK(pair.privateKey), exportJWK(pair.publicKey)]);
      options = ['--feed', 'ecdh', '--feed-key', write(`${id}.public.json`, JSON.stringify(open))];
      jwk = ['--jwk', write(`${id}.json`, JSON.stringify(secret))];
    }
    try {
      process.env.NUMGATE_FEED_KEY = (await json('clients', 'add', id, '--rights', 'feed', ...options))
        .key as string;
      const out = outFolder();
      const pull = () => json('feed', 'pull', service.url, ...jwk, ...keys.slice(2), '--out', out);
      // The service knows a new client after seconds.
      const { position } = await vi.waitFor(pull, HANG_MS);
      await block(`010-4000-000${index}`, `010-4000-001${index}`);
      await vi.waitFor(async () => expect((await pull()).position).toBe((position as number) + 2), HANG_MS);
      const { entries } = await readState(statePath(out));
      expect([...entries].map(([, { number }]) => number)).toContain(`+82104000000${index}`);
    } finally {
      process.env.NUMGATE_FEED_KEY = own;
    }
  });

  it('works alone in its folder', async () => {
    const out = outFolder();
    writeFileSync(join(out, 'pull.lock'), String(process.ppid));
    const { code, errors } = await numgate('feed', 'pull', service.url, ...keys, '--out', out);
    expect([code, errors]).toEqual([1, expect.stringContaining('another numgate feed pull is running in')]);
  });

  it.each<[string, () => readonly string[], number, string]>([
    ['no verifier key', () => [service.url], 2, "required option '--verifier-key <key>' not specified"],
    [
      'a verifier key of another form',
      () => [service.url, '--verifier-key', 'x'],
      2,
      '--verifier-key must be a key',
    ],
    ['http to another machine', () => ['http://control.example', ...keys], 2, 'must begin with https://'],
    ['no URL', () => ['control.example', ...keys], 2, '<url> must be a URL'],
    [
      'no key for encrypted data',
      () => [service.url, ...keys.slice(2)],
      1,
      'name the file of your key with --jwk',
    ],
    [
      'a file that is no JWK',
      () => [service.url, ...keys, '--jwk', write('no.jwk.json', '{}')],
      1,
      'the feed key must be',
    ],
    ['too many lists', () => [service.url, ...keys, '--lists-max', '33'], 2, 'must be at most 32'],
    [
      'a name that is none',
      () => [service.url, ...keys, '--authority', 'A B'],
      2,
      'must have only lower case',
    ],
    ['a password', () => ['https://me:pass-1@control.example', ...keys], 2, '<url> must have no user'],
  ])('with %s is refused', async (_, args, exitCode, message) => {
    const { code, errors } = await numgate('feed', 'pull', ...args(), '--out', outFolder());
    expect([code, errors]).toEqual([exitCode, expect.stringContaining(message)]);
    expect(errors).not.toContain('pass-1');
  });

  it.each<[string, () => Promise<string | undefined>, string]>([
    ['no client key', async () => undefined, 'NUMGATE_FEED_KEY is not set'],
    [
      'a wrong client key',
      async () => `second.${'x'.repeat(43)}`,
      'check the client key in NUMGATE_FEED_KEY',
    ],
    [
      'a client without the right',
      async () => (await json('clients', 'add', 'checks-only')).key as string,
      'that the client has the right "feed"',
    ],
  ])('with %s is refused', async (_, keyOf, message) => {
    const own = process.env.NUMGATE_FEED_KEY;
    const key = await keyOf();
    if (key === undefined) delete process.env.NUMGATE_FEED_KEY;
    else process.env.NUMGATE_FEED_KEY = key;
    try {
      const { code, errors } = await numgate('feed', 'pull', service.url, ...keys, '--out', outFolder());
      expect([code, errors]).toEqual([key === undefined ? 2 : 1, expect.stringContaining(message)]);
    } finally {
      process.env.NUMGATE_FEED_KEY = own;
    }
  });
});

describe('feed status', () => {
  it('without a state names the command that makes one', async () => {
    const { code, errors } = await numgate('feed', 'status', '--out', outFolder());
    expect([code, errors]).toEqual([
      1,
      expect.stringContaining('does not exist: numgate feed pull creates it'),
    ]);
  });
});

describe('feed verify', () => {
  const get = async (path: string): Promise<string> => {
    const headers = { authorization: `Bearer ${process.env.NUMGATE_FEED_KEY}` };
    return (await fetch(`${service.url}/v1/feed${path}`, { headers })).text();
  };
  let page: FeedCloudEvent[];
  let notes: string[];

  beforeAll(async () => {
    await block('010-2000-0004', '010-2000-0005');
    await vi.waitFor(async () => {
      page = JSON.parse(await get(`?lastEventId=${cursor}`)) as FeedCloudEvent[];
      expect(page.length).toBeGreaterThanOrEqual(3);
    }, HANG_MS);
    // The cursor of the last event of the page, once the feed is idle.
    await vi.waitFor(async () => {
      page = JSON.parse(await get(`?lastEventId=${cursor}`)) as FeedCloudEvent[];
      notes = [await get('/epochs/1'), await get('/checkpoint')];
      expect(notes[1]!.split('\n')[3]).toBe(page.at(-1)!.id.split('.')[2]);
    }, HANG_MS);
  });

  const verify = (pages: readonly unknown[], kept = notes, verifierKey = keys[3]!) =>
    numgate(
      ...[
        '--json',
        'feed',
        'verify',
        ...pages.map((each, at) => write(`page-${at}.json`, JSON.stringify(each))),
      ],
      ...kept.map((text, at) => write(`note-${at}.txt`, text)),
      ...['--jwk', keys[1]!, '--verifier-key', verifierKey],
    );

  it('says which events a signed checkpoint covers', async () => {
    const both = [page.slice(0, 2), page.slice(2)];
    const whole = { first: 1, last: page.length, events: page.length, covered: page.length };
    expect(JSON.parse((await verify(both)).out)).toMatchObject(whole);
    // Only a part, without the statement of its epoch or a checkpoint.
    expect(JSON.parse((await verify([page.slice(1)], [])).out)).toMatchObject({ first: 2, covered: null });
  });

  it('names the position of a checkpoint that is of a later event', async () => {
    const paths = [
      write('early.json', JSON.stringify(page.slice(0, 1))),
      ...notes.map((text, at) => write(`later-${at}.txt`, text)),
    ];
    const own = ['--jwk', keys[1]!, '--verifier-key', keys[3]!];
    const { code, out } = await numgate('feed', 'verify', ...paths, ...own);
    const position = page.at(-1)!.id.split('.')[2]!;
    expect([code, out]).toEqual([0, expect.stringContaining(`the checkpoint is of position ${position}:`)]);
  });

  it('names the file and what is wrong in it', async () => {
    const moved = [page[1], page[0], ...page.slice(2)];
    const altered = [{ ...page[0]!, type: 'kr.numgate.sender.unblocked.v1' }, ...page.slice(1)];
    const other = (await openSigner((await newSignerKey('numgate.test/log'))!))!;
    const cases: [() => ReturnType<typeof verify>, string][] = [
      [
        () => verify([[...page.slice(0, 1), ...page.slice(2)]]),
        'page-0.json: FEED_CHAIN_BROKEN: the event after position 1',
      ],
      [
        () => verify([page.slice(0, 1), page.slice(2)]),
        'page-1.json: FEED_CHAIN_BROKEN: the event after position 1',
      ],
      [() => verify([moved]), 'page-0.json: FEED_CHAIN_BROKEN'],
      [() => verify([altered]), 'page-0.json: FEED_EVENT_ALTERED: "type"'],
      [() => verify([page], notes, other.verifierKey), 'note-0.txt: FEED_NOTE_UNSIGNED'],
      [() => verify([page], [notes[1]!.replace(/\n\d+\n/, '\n7\n')]), 'note-0.txt: FEED_NOTE_UNSIGNED'],
      [() => verify([{}]), 'page-0.json: FEED_NOTE_FORM'],
      [() => verify([], notes), 'none of the files is a page of a feed'],
    ];
    for (const [run, message] of cases) {
      const { code, errors } = await run();
      expect([code, errors]).toEqual([expect.any(Number), expect.stringContaining(message)]);
      expect(code).not.toBe(0);
    }
  });
});
