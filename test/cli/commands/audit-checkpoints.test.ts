/**
 * `numgate audit verify --checkpoint` against the real service: an intact log, a log that was rewritten in SQLite with every
 * hash, a log that was cut off, and a log whose beginning was trimmed.
 */
import '../support/workspace.ts';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import type { Verification } from '../../../cli/commands/audit-verify.ts';
import { type Service, startService } from '../../../cli/local/service.ts';
import { type AuditRecord, auditHash, auditLine, CHAIN_START } from '../../../shared/audit.ts';
import { fromHex } from '../../../shared/bytes.ts';
import { newSignerKey, openSigner } from '../../../shared/signed-note.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { numgate } from '../support/command.ts';
import { serviceSecrets } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

const STATE = join(FOLDER, 'audit-state');
let service: Service | null = null;
let isTampered = false;
let key = '';
let records: AuditRecord[] = [];
/** The checkpoints that another party keeps. */
let kept = '';
let exported = '';

async function run(): Promise<Admin> {
  service ??= await startService({
    ...{ port: 0, secrets: await serviceSecrets(), state: STATE },
    ...{ bundleFolder: await sharedBundle(), isBundled: true },
  });
  process.env.NUMGATE_URL = service.url;
  return new Admin({ url: service.url, token: SECRETS.ADMIN_TOKEN });
}

async function stop(): Promise<void> {
  await service?.stop();
  service = null;
}

/** Changes the coordinator's tables while the service is down, as someone with the Cloudflare account could. */
async function tamper(change: (database: DatabaseSync) => void): Promise<void> {
  isTampered = true;
  await stop();
  const folder = join(STATE, 'v3', 'do');
  const path = readdirSync(folder, { recursive: true })
    .map(String)
    .find((name) => /Coordinator[/\\][0-9a-f]{64}\.sqlite$/.test(name))!;
  const database = new DatabaseSync(join(folder, path));
  change(database);
  database.close();
  await run();
  await service!.runCron();
}

/** Replaces the log with these records, and recomputes every hash. The service then builds the tree anew. */
function rewrite(database: DatabaseSync, changed: readonly AuditRecord[]): AuditRecord[] {
  database.exec('DELETE FROM audit_tiles; DELETE FROM checkpoints; DELETE FROM audit');
  database.exec("DELETE FROM meta WHERE key IN ('auditTree', 'auditTrimmed')");
  let previous = CHAIN_START;
  return changed.map((record) => {
    const body = { ...record, previous };
    const { n, action, subject, before, after } = body;
    const hash = auditHash(body);
    // Each record has its own operation.
    database
      .prepare('INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)')
      .run(n, n, action, subject, JSON.stringify(before), JSON.stringify(after), fromHex(hash));
    previous = hash;
    return { ...body, hash };
  });
}

const verify = async (...args: string[]) => {
  const { code, out, errors } = await numgate('--json', 'audit', 'verify', ...args);
  return { code, errors, ...(JSON.parse(out) as Verification) };
};
const problemsOf = ({ checkpoints = [] }: Verification) =>
  checkpoints.map(({ size, problem }) => [size, problem]);

beforeAll(async () => {
  const admin = await run();
  for (const count of [4, 3]) {
    for (let at = 0; at < count; at++) {
      const organisation = { id: `o-${count}-${at}`, displayName: 'x', roles: ['operator'] };
      await admin.change('PUT', `organisations/${organisation.id}`, { organisation, reason: 'a test' });
    }
    await service!.runCron();
    if (count === 3) break;
    kept += await (await fetch(`${service!.url}/v1/audit/checkpoint`)).text();
  }
  // Skips the hour until the second checkpoint.
  await tamper((database) => database.exec('UPDATE checkpoints SET at = at - 3600000'));
  kept += (await numgate('audit', 'checkpoints')).out.split('\n\n— ').length > 2 ? await newestOf() : '';
  isTampered = false;
  key = (await numgate('audit', 'key')).out.trim();
  exported = (await numgate('audit', 'export')).out;
  records = exported
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as AuditRecord);
});
afterAll(stop);
afterEach(async () => {
  if (!isTampered) return;
  // Every test begins with the original log.
  await tamper((database) => void rewrite(database, records));
  isTampered = false;
});

async function newestOf(): Promise<string> {
  const { out } = await numgate('--json', 'audit', 'checkpoints');
  const { checkpoints } = JSON.parse(out) as { checkpoints: { checkpoint: string }[] };
  return checkpoints.at(-1)!.checkpoint;
}

describe('audit verify --checkpoint', () => {
  it('proves that an intact log is unchanged, in the service and in files', async () => {
    expect(records.map(({ n }) => n)).toEqual([1, 2, 3, 4, 5, 6, 7]);
    const file = write('kept.txt', kept);
    const whole = write('audit.ndjson', exported);
    const pieces = [
      write('a.ndjson', `${records.slice(0, 3).map(auditLine).join('\n')}\n`),
      write('b.ndjson', `${records.slice(3).map(auditLine).join('\n')}\n`),
    ];
    for (const files of [[], [whole], pieces]) {
      const result = await verify(...files, '--checkpoint', file, '--key', key);
      expect([files, result.code, problemsOf(result)]).toEqual([
        files,
        0,
        [
          [4, null],
          [7, null],
        ],
      ]);
      expect(result.checkpoints!.every(({ signed }) => signed)).toBe(true);
    }
    const { out } = await numgate('audit', 'verify', '--checkpoint', file);
    expect(out).toContain('checkpoint at line 1, 4 records: records 1 to 4 are unchanged');
    expect(out).toContain('signatures were not checked');
  });

  it('says how many of the newest records no checkpoint covers', async () => {
    const first = write('first.txt', kept.slice(0, kept.indexOf('\n', kept.indexOf('\u2014 ')) + 1));
    const result = await verify('--checkpoint', first, '--key', key);
    expect([result.code, problemsOf(result), result.uncovered]).toEqual([0, [[4, null]], 3]);
    const { out } = await numgate('audit', 'verify', '--checkpoint', first, '--key', key);
    expect(out).toMatch(/no checkpoint covers the newest 3 records/);
    expect((await verify('--checkpoint', write('both.txt', kept))).uncovered).toBe(0);
  });

  it('finds a record that was rewritten with all hashes and a new tree, which the chain does not show', async () => {
    const file = write('kept.txt', kept);
    await tamper((database) => {
      const changed = records.with(1, { ...records[1]!, subject: 'somebody-else' });
      rewrite(database, changed);
    });
    const chain = await verify();
    expect([chain.code, chain.broken, chain.records]).toEqual([0, null, 7]);
    // The service's own checkpoint is consistent with the rewritten log, because its key signed the new tree.
    const own = await verify('--checkpoint', write('own.txt', await newestOf()), '--key', key);
    expect([own.code, problemsOf(own)]).toEqual([0, [[7, null]]]);
    const result = await verify('--checkpoint', file, '--key', key);
    expect([result.code, result.broken, problemsOf(result)]).toEqual([
      ...[
        1,
        null,
        [
          [4, 'ROOT_DIFFERS'],
          [7, 'ROOT_DIFFERS'],
        ],
      ],
    ]);
    expect(result.errors).toContain('audit log verification failed');
    const rewritten = write('rewritten.ndjson', (await numgate('audit', 'export')).out);
    expect((await verify(rewritten)).code).toBe(0);
    expect(problemsOf(await verify(rewritten, '--checkpoint', file))).toEqual([
      ...[
        [4, 'ROOT_DIFFERS'],
        [7, 'ROOT_DIFFERS'],
      ],
    ]);
  });

  it('finds an end that was cut off', async () => {
    await tamper((database) => void rewrite(database, records.slice(0, 5)));
    expect((await verify()).code).toBe(0);
    const result = await verify('--checkpoint', write('kept.txt', kept), '--key', key);
    expect([result.code, problemsOf(result)]).toEqual([
      1,
      [
        [4, null],
        [7, 'LOG_SHORTER'],
      ],
    ]);
  });

  it('proves by hashes what was trimmed, and by content what was kept', async () => {
    const trim = (database: DatabaseSync): void => {
      const { n, hash } = records[5]!;
      database.prepare('DELETE FROM audit WHERE n <= 6').run();
      const set = "INSERT OR REPLACE INTO meta VALUES ('auditTrimmed', ?)";
      database.prepare(set).run(JSON.stringify({ n, hash }));
    };
    const file = write('kept.txt', kept);
    await tamper(trim);
    const result = await verify('--checkpoint', file, '--key', key);
    expect([result.code, problemsOf(result), result.trimmedTo]).toEqual([
      0,
      [
        [4, null],
        [7, null],
      ],
      6,
    ]);
    expect(result.checkpoints!.map(({ message }) => message)).toEqual([
      expect.stringContaining('unchanged hashes'),
      'records 1 to 7 are unchanged',
    ]);
    // The export of the trimmed records proves their content.
    const piece = write('trimmed.ndjson', `${records.slice(0, 6).map(auditLine).join('\n')}\n`);
    expect(problemsOf(await verify(piece, '--checkpoint', file))).toEqual([
      [4, null],
      [7, 'LOG_SHORTER'],
    ]);
    await tamper((database) => {
      database.exec('UPDATE audit_tiles SET hashes = zeroblob(length(hashes)) WHERE level = 0');
    });
    const wrong = await verify('--checkpoint', file, '--key', key);
    expect([wrong.code, problemsOf(wrong)]).toEqual([
      1,
      [
        [4, 'ROOT_DIFFERS'],
        [7, 'ROOT_DIFFERS'],
      ],
    ]);
  });

  it('names what is wrong with a checkpoint or its key', async () => {
    const [first] = kept.split(/(?<=\n)(?=numgate)/);
    const foreign = (await openSigner((await newSignerKey('numgate.test/log'))!))!;
    const other = (await openSigner((await newSignerKey('numgate.test/other'))!))!;
    const own = (await openSigner(SECRETS.CHECKPOINT_KEY))!;
    const body = first!.split('\n\n')[0]!;
    const texts: readonly (readonly [string, string, string | null])[] = [
      [first!.replace('\n4\n', '\n5\n'), key, 'SIGNATURE_WRONG'],
      [first!, foreign.verifierKey, 'KEY_OTHER'],
      [await foreign.sign(`${body}\n`), key, 'KEY_OTHER'],
      [await own.sign(`${body.replace('/log', '/other')}\n`), key, 'ORIGIN_OTHER'],
      [await other.sign(`${body.replace('/log', '/other')}\n`), other.verifierKey, null],
      [`${body}\n`, key, 'UNREADABLE'],
      [await own.sign(`${body.replace('\n4\n', '\n9\n')}\n`), key, 'LOG_SHORTER'],
    ];
    for (const [text, by, problem] of texts) {
      const result = await verify('--checkpoint', write('one.txt', text), '--key', by);
      expect([text, problemsOf(result).map(([, each]) => each)]).toEqual([text, [problem]]);
      expect(result.code).toBe(problem === null ? 0 : 1);
    }
    const usage = await Promise.all([
      numgate('audit', 'verify', '--checkpoint', write('one.txt', first!), '--key', 'nonsense'),
      numgate('audit', 'verify', '--key', key),
      numgate('audit', 'key', '--new', 'two words'),
      numgate('audit', 'verify', '--checkpoint', write('none.txt', '\n')),
      numgate('audit', 'verify', '--checkpoint', join(FOLDER, 'absent.txt')),
    ]);
    expect(usage.map(({ code }) => code)).toEqual([2, 2, 2, 1, 1]);
    expect(usage[3]!.errors).toContain('has no checkpoint');
    const made = await numgate('audit', 'key', '--new', 'example.com/log');
    expect((await openSigner(made.out.trim()))!.name).toBe('example.com/log');
  });
});
