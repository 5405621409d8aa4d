/**
 * Two real services that share a TEXT_KEY. Campaigns and hosts of the first reach the second by feed, import and build, and so
 * do their removals. The second does not share them further.
 */
import '../support/workspace.ts';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { buildText } from '../../../cli/commands/text-build.ts';
import { pushText } from '../../../cli/commands/text-push.ts';
import { startService } from '../../../cli/local/service.ts';
import { readTextCatalogue } from '../../../cli/text/text-catalogue.ts';
import { openSigner } from '../../../shared/signed-note.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { numgate } from '../support/command.ts';
import { serviceSecrets, startTestService } from '../support/service.ts';
import { BUILDS, FOLDER, SECRETS, write } from '../support/workspace.ts';

const WAIT = { timeout: HANG_MS, interval: 300 };
const SPAM =
  '[국제발신] 고객님 앞으로 등기우편이 도착하였으나 부재중으로 반송되었습니다. 아래 주소에서 배송지를 확인하여 주시기 바랍니다';
const reason = 'a test';
const builds = join(BUILDS, 'text');

/** A separate service, and commands for it. */
class Installation {
  readonly url: string;
  readonly admin: Admin;

  constructor(url: string) {
    this.url = url;
    this.admin = new Admin({ url, token: SECRETS.ADMIN_TOKEN });
  }

  /** Runs a command with `--json`. @returns its output */
  async run<Value = unknown>(...args: string[]): Promise<Value> {
    process.env.NUMGATE_URL = this.url;
    const { code, out, errors } = await numgate(...args, '--json');
    expect([args.slice(0, 3).join(' '), code, errors]).toEqual([args.slice(0, 3).join(' '), 0, '']);
    return JSON.parse(out) as Value;
  }

  /** Builds a text release with the lists of a catalogue and puts it into force. */
  async release(catalogue: string): Promise<void> {
    const built = await buildText({ builds, admin: this.admin, catalogue });
    await pushText(built.folder, this.admin, {
      ...{ promote: true, share: 1, dryRun: false, overrides: ['fewer-hosts'], reason },
    });
  }

  /** Whether the spam text would be blocked. */
  async blocks(): Promise<boolean> {
    const { matches } = await this.run<{ matches: { blocks: boolean }[] }>(
      ...['text', 'campaigns', 'match', '--file', write('spam.txt', SPAM)],
    );
    return matches[0]!.blocks;
  }

  /** The text-related entries of the feed. */
  async shared(): Promise<string[]> {
    const key = readerKeys.get(this.url)!;
    const response = await fetch(`${this.url}/v1/feed/snapshot`, {
      headers: { authorization: `Bearer ${key}` },
    });
    expect(response.status).toBe(200);
    const [, ...lines] = (await response.text()).trim().split('\n');
    return lines.map((line) => {
      const { subject, host = '' } = JSON.parse(line) as { subject: string; host?: string };
      return `${subject} ${host}`.trim();
    });
  }
}

const readerKeys = new Map<string, string>();
let first: Installation;
let second: Installation;

interface Pulled {
  readonly campaigns: { readonly confirmed: number; readonly revoked: number; readonly file: string };
  readonly hostLists: readonly { readonly name: string; readonly hosts: number }[];
  readonly textCatalogue: string;
}

/** Pulls the feed of the first installation until the result is as expected. */
async function pulled(expected: object): Promise<Pulled> {
  const { verifierKey } = (await openSigner(SECRETS.CHECKPOINT_KEY))!;
  process.env.NUMGATE_FEED_KEY = readerKeys.get(first.url)!;
  return vi.waitFor(async () => {
    const out = await second.run<Pulled>(
      ...['feed', 'pull', first.url, '--out', join(FOLDER, 'pulled'), '--verifier-key', verifierKey],
    );
    expect(out).toMatchObject(expected);
    return out;
  }, WAIT);
}

beforeAll(async () => {
  first = new Installation((await startTestService()).url);
  const other = await startService({
    ...{ port: 0, secrets: await serviceSecrets(), state: join(FOLDER, 'second'), isBundled: true },
    bundleFolder: await sharedBundle(),
  });
  afterAll(() => other.stop());
  second = new Installation(other.url);
  for (const { url } of [first, second]) {
    process.env.NUMGATE_URL = url;
    const { out } = await numgate('clients', 'add', 'reader', '--rights', 'feed', '--feed', 'none');
    readerKeys.set(url, out.trim());
  }
});

it('campaigns and hosts reach a second installation, and so do their ends; it shares neither on', async () => {
  const [one, two] = ['phish.example.com', 'other.example.com'];
  const catalogueOf = (...hosts: string[]): string => {
    const file = write('hosts.txt', hosts.join('\n'));
    const list = { name: 'phish', file, effect: 'block', authority: 'kisa' };
    return write('text.json', JSON.stringify({ hostLists: [list] }));
  };
  await first.release(catalogueOf(one, two));
  const file = write('spam.txt', SPAM);
  await first.run('text', 'campaigns', 'add', '--file', file, '--until', '30d', '--reason', reason);
  expect([await first.blocks(), await second.blocks()]).toEqual([true, false]);

  const before = await pulled({
    campaigns: { confirmed: 1, revoked: 0, foreign: 0 },
    hostLists: [{ name: 'feed-hosts-kisa', hosts: 2 }],
  });
  await second.run('text', 'campaigns', 'import', before.campaigns.file, '--reason', reason);
  expect(await second.blocks()).toBe(true);
  expect(readTextCatalogue(before.textCatalogue, {}, false).hostLists[0]!.fromFeed).toBe(true);
  await second.release(before.textCatalogue);
  expect((await first.shared()).sort()).toEqual(['campaign', `host ${two}`, `host ${one}`]);

  await first.run('text', 'campaigns', 'revoke', 'c-1', '--reason', reason);
  await first.release(catalogueOf(two));
  const after = await pulled({
    campaigns: { confirmed: 0, revoked: 1 },
    hostLists: [{ name: 'feed-hosts-kisa', hosts: 1 }],
  });
  await second.run('text', 'campaigns', 'import', after.campaigns.file, '--reason', reason);
  expect(await second.blocks()).toBe(false);
  await second.release(after.textCatalogue);
  const { current } = await second.admin.get<{ current: string }>('text/status');
  const manifest = await second.admin.get<{ signed: string }>(`text/releases/${current}/manifest`);
  expect(manifest.signed).toContain('"fromFeed":true,"hosts":1');
  // The feed of the second installation is up to date, but contains none of these entries.
  await second.run(
    'text',
    'campaigns',
    'add',
    '--fingerprint',
    Buffer.alloc(128, 9).toString('base64'),
    ...[
      ...['--key-id', (await second.admin.get<{ textKeyId: string }>('text/status')).textKeyId],
      ...['--until', '30d', '--reason', reason],
    ],
  );
  await vi.waitFor(async () => expect(await second.shared()).toEqual(['campaign']), WAIT);
});
