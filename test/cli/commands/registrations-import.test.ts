/** `registrations import` and `export`: the report is exact, and every line is stored once, whatever is killed. */
import '../support/workspace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { KillableService } from '../../../bench/lib/killable-service.ts';
import { UPLOADS } from '../../../cli/paths.ts';
import { csvFields } from '../../../shared/csv.ts';
import type { RegistrationPage } from '../../../shared/senders/registration.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { numgate, start as startNumgate } from '../support/command.ts';
import { addSenders, adminWith, as, DIGEST, HEADER, lineOf, type Senders } from '../support/senders.ts';
import { serviceSecrets } from '../support/service.ts';
import { FOLDER, SECRETS, write } from '../support/workspace.ts';

const service = new KillableService(join(FOLDER, 'state'), await sharedBundle());
let tokens: Senders;

beforeAll(async () => {
  await service.start(await serviceSecrets());
  process.env.NUMGATE_URL = service.url;
  process.env.NUMGATE_ORGANISATION = 'acme';
  tokens = await addSenders({ admin: adminWith(service.url, SECRETS.ADMIN_TOKEN) });
  return () => service.kill();
});

const sender = (...args: string[]) => as(tokens.sender, () => numgate('registrations', ...args));
const REPORT = join(FOLDER, 'report.csv');

function fileOf(name: string, lines: readonly string[]): string {
  return write(name, [HEADER, ...lines, ''].join('\n'));
}

/** The rows of the report, without its header. */
function report(): string[][] {
  const [header, ...rows] = readFileSync(REPORT, 'utf8').trimEnd().split('\n');
  expect(header).toBe('line,reference,result,id,state,field,code,detail,help');
  return rows.map((row) => csvFields(row)!);
}

/** References of all stored registrations, in order. */
async function stored(): Promise<string[]> {
  const admin = adminWith(service.url, tokens.sender);
  const references: string[] = [];
  for (let after: string | null = null; ; ) {
    const page: RegistrationPage = await admin.get('organisations/acme/registrations', {
      after,
      limit: 1_000,
    });
    references.push(...page.registrations.map(({ reference }) => reference ?? ''));
    if (page.next === null) return references;
    after = page.next;
  }
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);

describe('a file with wrong lines', () => {
  const wrong = [
    lineOf(1),
    lineOf(2).replace('own', 'rented'),
    lineOf(3).replace(/\+82\d+/, '112'),
    lineOf(1),
    lineOf(4),
    '"',
    lineOf(5).replace('acme-main', 'acme-none'),
  ];
  const expected = [
    ['3', 'line-2', 'basis', 'FIELD_VALUE'],
    ['4', 'line-3', 'number', 'NUMBER_EMERGENCY'],
    ['5', 'line-1', 'reference', 'REFERENCE_REPEATED'],
    ['7', '', 'line', 'CSV_INVALID'],
    ['8', 'line-5', 'clients', 'CLIENT_UNKNOWN'],
  ];

  it('is stored not at all, and each wrong line is named', async () => {
    const before = await stored();
    for (const options of [[], ['--dry-run'], ['--dry-run', '--skip-invalid']]) {
      const { code, errors } = await sender(
        'import',
        fileOf('wrong.csv', wrong),
        ...options,
        '--report',
        REPORT,
      );
      const dry = options.includes('--dry-run') ? ' (dry run)' : '';
      const first = `error: nothing was stored${dry}; an upload of the 7 lines would give: 2 created, `;
      expect([code, errors]).toEqual([1, expect.stringMatching(first.replace(/[()]/g, '\\$&'))]);
      expect(errors).toContain(
        'line 8: CLIENT_UNKNOWN: "clients" names "acme-none", which is not a client of the organisation; ',
      );
      const rejected = report().filter(([, , result]) => result === 'rejected');
      expect(
        rejected.map(([line, reference, , , , field, reason]) => [line, reference, field, reason]),
      ).toEqual(expected);
      expect(await stored()).toEqual(before);
    }
  });

  it('is stored without them with --skip-invalid', async () => {
    const { code, out } = await sender(
      'import',
      fileOf('wrong.csv', wrong),
      '--skip-invalid',
      '--report',
      REPORT,
    );
    expect([code, out]).toEqual([
      0,
      expect.stringContaining('2 created, 0 updated, 0 unchanged, 5 rejected'),
    ]);
    expect(report().map(([line, , result]) => [line, result])).toEqual([
      ['2', 'created'],
      ...['3', '4', '5'].map((line) => [line, 'rejected']),
      ['6', 'created'],
      ...['7', '8'].map((line) => [line, 'rejected']),
    ]);
    expect((await stored()).filter((reference) => /^line-[1-5]$/.test(reference)).sort()).toEqual([
      'line-1',
      'line-4',
    ]);
  });

  it('repeats no number', async () => {
    const { errors } = await sender(
      'import',
      fileOf('numbers.csv', [lineOf(6).replace(/\+82\d+/, '+8210123456789')]),
    );
    expect(errors).toContain('line 2: NUMBER_');
    expect(errors).not.toContain('123456789');
  });
});

describe('a file that is imported again', () => {
  const lines = range(100, 110).map((index) => lineOf(index));

  it('changes only the lines that differ', async () => {
    expect((await sender('import', fileOf('a.csv', lines))).out).toContain('10 lines: 10 created');
    expect((await sender('import', fileOf('a.csv', lines))).out).toContain(
      '0 created, 0 updated, 10 unchanged',
    );
    const changed = [...lines.slice(0, 9), lineOf(109, 'Acme Korea')];
    expect((await sender('import', fileOf('a.csv', changed))).out).toContain('1 updated, 9 unchanged');
    expect((await sender('import', fileOf('a.csv', changed), '--submit')).out).toContain('10 updated');
    expect((await sender('list', '--state', 'submitted', '--json')).out).toContain('Acme Korea');
  });

  it('may be an export of what is stored', async () => {
    const exported = await sender('export');
    expect(exported.out.split('\n')[0]).toBe(`${HEADER},id,state,endsAt`);
    const { out } = await sender('import', write('exported.csv', exported.out));
    const count = exported.out.trimEnd().split('\n').length - 1;
    expect(out).toContain(`${count} lines: 0 created, 0 updated, ${count} unchanged, 0 rejected`);
  });

  it('is refused with its encoding, and with an unwritable report before anything is stored', async () => {
    const file = fileOf('b.csv', [lineOf(300)]);
    expect((await sender('import', file, '--report', FOLDER)).errors).toContain(
      'is a folder; a file is needed',
    );
    const cp949 = Buffer.concat([
      Buffer.from(`${HEADER}\nx,02-2123-1111,own,person,`),
      Buffer.from([0xc7, 0xd1, 0xb1, 0xb9]),
    ]);
    expect((await sender('import', write('cp949.csv', cp949))).errors).toContain('CP949');
    expect((await stored()).includes('line-300')).toBe(false);
  });
});

describe('a line that the service takes in the check, and refuses in the upload', () => {
  it('is reported as the only one that is not stored', async () => {
    // The registration stays in review, where it cannot be changed, so the second piece comes too late.
    const line = (reference: string, holder: string) =>
      `${reference},010-0000-0009,own,person,${holder},acme-test,identityCheck:${DIGEST},`;
    expect((await sender('import', fileOf('mock.csv', [line('nine', 'Kim')]))).code).toBe(0);
    const { registrations } = await adminWith(service.url, tokens.sender).find<RegistrationPage>(
      'organisations/acme/registrations/find',
      { number: '010-0000-0009' },
    );
    const blank = Array.from({ length: 999 }, () => '');
    const lines = [`${line('nine', 'Lee')},`, ...blank, `${line('', 'Park')},${registrations[0]!.id}`];
    const file = write('late.csv', [`${HEADER},id`, ...lines, ''].join('\n'));
    const { code, errors } = await sender('import', file, '--submit', '--report', REPORT);
    expect([code, errors]).toEqual([1, expect.stringContaining('1 updated, 0 unchanged, 1 rejected')]);
    expect(errors).toContain('line 1002: REGISTRATION_STATE');
    expect(errors).toContain('the other lines are stored');
    expect(errors).not.toContain('nothing was stored');
    expect(report().map(([at, , result]) => [at, result])).toEqual([
      ['2', 'updated'],
      ['1002', 'rejected'],
    ]);
  });
});

describe('an import whose command and service are killed', () => {
  const COUNT = 6_000;
  const indexes = range(1_000, 1_000 + COUNT);

  it('stores every line once when it is run again, and reports all as created', async () => {
    const lines = indexes.map((index) => lineOf(index));
    // The repeated line is in the second piece and in the tenth.
    const repeated = [...lines, lines[1_500]!.replace('Acme', 'Other')];
    const { code: refused, errors: words } = await sender('import', fileOf('repeated.csv', repeated));
    expect([refused, words]).toEqual([1, expect.stringContaining('is also the reference of line 1502')]);

    const file = fileOf('killed.csv', lines);
    const before = await stored();
    const args = ['registrations', 'import', file, '--report', REPORT];
    const admin = adminWith(service.url, tokens.sender);
    const untilMoreThan = (rows: number): Promise<void> =>
      vi.waitFor(async () => {
        const query = { after: before.length + rows, limit: 1 };
        const page = await admin.get<RegistrationPage>('organisations/acme/registrations', query);
        expect(page.registrations).toHaveLength(1);
      }, HANG_MS);
    // The command dies while it uploads, and so does the service.
    const first = await as(tokens.sender, async () => startNumgate(args));
    await untilMoreThan(0);
    first.child.kill('SIGKILL');
    await first.result;
    await service.kill();
    expect(readdirSync(UPLOADS)).toHaveLength(1);
    await service.start(await serviceSecrets());
    const partly = (await stored()).length - before.length;
    expect(partly).toBeGreaterThan(0);
    expect(partly).toBeLessThan(lines.length);
    // The second run continues the upload, and survives another death of the service.
    const second = await as(tokens.sender, async () => startNumgate(args));
    await untilMoreThan(partly);
    await service.kill();
    await service.start(await serviceSecrets());
    const { code, out, errors } = await second.result;
    // The number of attempts depends on how fast the service is back.
    expect([code, errors]).toEqual([0, expect.stringMatching(/^continuing the interrupted upload\n/)]);
    expect(out).toContain('6,000 lines: 6,000 created, 0 updated, 0 unchanged, 0 rejected');
    expect(report().map(([line, reference, result]) => [line, reference, result])).toEqual(
      indexes.map((index) => [String(index - 998), `line-${index}`, 'created']),
    );
    expect((await stored()).slice(before.length)).toEqual(indexes.map((index) => `line-${index}`));
    expect(readdirSync(UPLOADS)).toEqual([]);
    // A later run is a new upload.
    expect((await sender('import', file)).out).toContain('6,000 unchanged');
  });
});
